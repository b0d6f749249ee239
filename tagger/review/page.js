"use strict";
// Keys and buttons of the review. What is shown comes from the server as HTML that it has escaped;
// this script only puts it in place, plays, and sends what was chosen.
(() => {
  const token = document.querySelector('meta[name="token"]').content;
  const stage = document.getElementById("stage");
  const audio = document.getElementById("audio");
  const search = document.getElementById("search");
  const help = document.getElementById("help");
  const query = document.getElementById("query");
  const found = document.getElementById("found");
  const together = document.getElementById("together");
  let isBusy = false;
  let isSeveral = false;
  let picked = [];
  let waiting = null; // genres that are shown as old → new, and wait for Enter
  let sounds = new Map();

  const byId = (id) => document.getElementById(id);
  const question = () => byId("question");
  const number = () => Number(question().dataset.question);

  function say(text) {
    if (byId("said").textContent !== text) byId("said").textContent = text; // read out once
  }

  function show(html) {
    audio.pause();
    for (const url of sounds.values()) URL.revokeObjectURL(url);
    sounds = new Map();
    picked = [];
    waiting = null;
    isSeveral = false;
    stage.innerHTML = html;
    begin();
    stage.focus({ preventScroll: false });
    window.scrollTo(0, 0);
  }

  function begin() {
    const cover = byId("cover");
    if (cover) {
      cover.addEventListener("load", () => cover.classList.add("there"));
      cover.addEventListener("error", () => cover.remove());
      if (cover.complete && cover.naturalWidth) cover.classList.add("there");
    }
    follow();
    tellNear();
  }

  // Which tagged albums sound alike is told once a question has been looked at for a moment.
  function tellNear() {
    const near = byId("near");
    if (!near) return;
    setTimeout(async () => {
      if (!near.isConnected) return;
      const answer = await fetch(`/near/${number()}`).catch(() => null); // ended: others tell that
      if (answer && answer.ok) near.innerHTML = await answer.text(); // escaped by the server
    }, 200);
  }

  async function act(action, body) {
    if (isBusy) return;
    isBusy = true;
    const slow = setTimeout(() => say("One moment…"), 700);
    try {
      const answer = await fetch(`/do/${action}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Tagger-Token": token },
        body: JSON.stringify(body),
      });
      const text = await answer.text();
      if (answer.ok) {
        show(text);
        const heading = stage.querySelector("h1");
        say(action === "undo" ? "Taken back." : "");
        document.title = heading ? `${heading.textContent.trim()} – tagger review` : "tagger review";
      } else say(text);
    } catch {
      say("The review has ended, or cannot be reached. What was answered is kept.");
    } finally {
      clearTimeout(slow);
      isBusy = false;
    }
  }

  // Answering

  function press(button) {
    if (!button) return;
    const genre = button.dataset.genre;
    stopWaiting();
    if (!isSeveral) return choose([genre]);
    picked = picked.includes(genre) ? picked.filter((one) => one !== genre) : [...picked, genre];
    button.setAttribute("aria-pressed", String(picked.includes(genre)));
  }

  function typed() {
    return byId("genre").value.split(";").map((genre) => genre.trim()).filter(Boolean);
  }

  function choose(genres) {
    if (!genres.length) return say("Choose a genre, or type one.");
    if (question().dataset.stands !== "0" && !isWaitingFor(genres)) {
      waiting = genres;
      const change = byId("change");
      change.textContent = `${byId("standing").textContent} → ${genres.join("; ")}`;
      change.hidden = false;
      say("Enter writes it, Escape does not.");
      byId("send").focus();
      return;
    }
    act("answer", { question: number(), genres });
  }

  const isWaitingFor = (genres) =>
    waiting !== null && JSON.stringify(waiting) === JSON.stringify(genres);

  function send() {
    if (waiting) return act("answer", { question: number(), genres: waiting });
    choose([...new Set([...picked, ...typed()])]);
  }

  function stopWaiting() {
    waiting = null;
    const change = byId("change");
    if (change) change.hidden = true;
    say("");
  }

  function toggleSeveral() {
    const button = byId("several");
    if (!button) return;
    stopWaiting(); // what was shown is not what is picked from now on
    isSeveral = !isSeveral;
    button.setAttribute("aria-pressed", String(isSeveral));
    say(isSeveral ? "Several: pick genres, then Enter." : "");
  }

  // Playing

  async function source(id) {
    if (sounds.has(id)) return sounds.get(id);
    const answer = await fetch(`/sound/${id}`);
    if (!answer.ok) throw new Error(await answer.text());
    const url = URL.createObjectURL(await answer.blob());
    sounds.set(id, url);
    return url;
  }

  async function play() {
    const select = byId("track");
    if (!select) return;
    if (!audio.paused) return audio.pause();
    if (audio.dataset.id !== select.value || audio.ended) {
      const id = select.value;
      try {
        const url = await source(id);
        if (!byId("track") || byId("track").value !== id) return; // another is chosen meanwhile
        audio.src = url;
        audio.dataset.id = id;
      } catch (error) {
        return say(`It cannot be played: ${error.message}`);
      }
    }
    try {
      await audio.play();
    } catch {
      say("Press Play once more.");
    }
  }

  function turn(step) {
    const select = byId("track");
    if (!select) return;
    const n = select.options.length;
    const wasPlaying = !audio.paused;
    select.selectedIndex = (select.selectedIndex + step + n) % n;
    audio.pause();
    audio.dataset.id = "";
    if (wasPlaying) play();
  }

  for (const name of ["play", "pause", "ended"]) {
    audio.addEventListener(name, () => {
      const button = byId("play");
      if (!button) return;
      button.classList.toggle("playing", !audio.paused);
      button.setAttribute("aria-label", audio.paused ? "Play" : "Pause");
    });
  }
  audio.addEventListener("timeupdate", () => {
    const played = byId("played");
    if (played && audio.duration) played.value = audio.currentTime / audio.duration;
  });

  // How far the writer is

  let timer = 0;
  let troubleShown = "[0,\"\"]"; // the files left and the trouble that the page shows
  let isBehind = false; // there is other trouble than is shown
  function follow() {
    clearTimeout(timer);
    const writing = byId("writing");
    if (!writing) return;
    const isLooking = writing.dataset.looking === "true";
    if (writing.dataset.open === "0" && !isBehind && !isLooking) return;
    timer = setTimeout(async () => {
      try {
        await look(writing);
      } catch {
        say("The review has ended, or cannot be reached. What was answered is kept.");
      }
      follow();
    }, 400);
  }

  async function look(writing) {
    const answer = await fetch("/progress");
    if (!answer.ok) return;
    const told = await answer.json();
    writing.dataset.open = String(told.open);
    if (writing.dataset.looking === "true") {
      if (!told.looking) await refresh();
      return;
    }
    writing.textContent = told.open ? `writing: ${told.open} to go` : "all written";
    const trouble = JSON.stringify([told.left, told.trouble]);
    isBehind = trouble !== troubleShown;
    if (!isBehind || !(await refresh())) return;
    troubleShown = trouble;
    isBehind = false;
  }

  const isInUse = () =>
    isBusy || picked.length || waiting || !audio.paused || (byId("genre") && byId("genre").value);

  async function refresh() {
    const shown = question();
    if (isInUse()) return false;
    const answer = await fetch("/stage");
    const text = await answer.text();
    if (!answer.ok || isInUse() || question() !== shown) return false;
    stage.innerHTML = text;
    begin();
    return true;
  }

  // Searching

  let asked = 0;
  async function find() {
    const mine = ++asked;
    if (!query.value.trim()) return found.replaceChildren();
    const answer = await fetch(`/find?q=${encodeURIComponent(query.value)}`);
    if (answer.ok && mine === asked) found.innerHTML = await answer.text();
    together.hidden = true;
  }

  const chosen = () =>
    [...found.querySelectorAll("input[name=pick]:checked")].map((box) => Number(box.value));

  function openSearch() {
    if (!search.open) search.showModal();
    query.select();
    query.focus();
  }

  query.addEventListener("input", find);
  query.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const first = found.querySelector("[data-jump]");
    if (first) first.click();
  });
  found.addEventListener("change", () => {
    together.hidden = chosen().length < 2;
  });
  found.addEventListener("click", (event) => {
    const button = event.target.closest("[data-jump]");
    if (!button) return;
    search.close();
    act("jump", { question: Number(button.dataset.jump) });
  });
  together.addEventListener("click", () => {
    search.close();
    act("join", { questions: chosen() });
  });

  // Buttons and keys

  stage.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.do) act(button.dataset.do, { question: number() || 0 });
    else if (button.classList.contains("genre")) press(button);
    else if (button.id === "play") play();
    else if (button.id === "several") toggleSeveral();
  });
  stage.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  stage.addEventListener("change", (event) => {
    if (event.target.id === "track") {
      audio.pause();
      audio.dataset.id = "";
    }
  });
  stage.addEventListener("input", (event) => {
    if (event.target.id === "genre" && waiting) stopWaiting();
  });
  byId("search-opens").addEventListener("click", openSearch);
  byId("help-opens").addEventListener("click", () => help.showModal());

  const keys = {
    " ": play,
    ArrowRight: () => turn(1),
    ArrowLeft: () => turn(-1),
    m: toggleSeveral,
    g: () => byId("genre") && byId("genre").focus(),
    "/": openSearch,
    "?": () => help.showModal(),
    Enter: () => byId("answer") && send(),
    Escape: stopWaiting,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || search.open || help.open) return;
    const element = event.target;
    if (event.repeat && !event.key.startsWith("Arrow")) {
      // A key that is held answers once; in a field it types on.
      const doesNothing = !element.matches("input, textarea") || event.key === "Enter";
      if (doesNothing && ["Enter", " "].includes(event.key)) event.preventDefault();
      return;
    }
    if (element.matches("input, textarea")) {
      if (event.key === "Escape") {
        element.value = "";
        element.blur();
        stopWaiting();
      }
      return;
    }
    if (element.matches("select") && event.key.startsWith("Arrow")) return;
    const isOnButton = element.matches("button, summary, a");
    if (isOnButton && (event.key === "Enter" || event.key === " ")) return;
    if (/^[1-9]$/.test(event.key)) {
      event.preventDefault();
      press(stage.querySelectorAll(".genre")[Number(event.key) - 1]);
      return;
    }
    const way = stage.querySelector(`[data-do] kbd`)
      ? [...stage.querySelectorAll("[data-do]")].find(
          (one) => one.querySelector("kbd").textContent === event.key,
        )
      : null;
    if (way) {
      event.preventDefault();
      way.click();
    } else if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  begin();
})();
