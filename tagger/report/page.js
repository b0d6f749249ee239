"use strict";
// The map and the list of all tracks: searched, filtered, sorted, and walked through by mouse or
// keys. What is shown is put in place as text, never as HTML.
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const n = data.titles.length;
  if (!n) return;
  const PER_PAGE = 25;
  const NEAREST = 5;
  const FINEST = 4095; // steps on each side of the map
  const OTHER = 8; // the colours after those of the commonest genres
  const NONE = 9;

  const { artist, album, genre, state, folder } = data;
  const genresOf = (i) => genre.words[genre.of[i]];
  const title = (i) => data.titles[i] || data.files[i];
  const wordOf = {
    title,
    artist: (i) => artist.words[artist.of[i]],
    album: (i) => album.words[album.of[i]],
    genre: (i) => genresOf(i).join(", "),
    year: (i) => (data.years[i] ? String(data.years[i]) : ""),
    state: (i) => state.words[state.of[i]],
  };
  const colourOf = (i) => {
    if (!genresOf(i).length) return NONE;
    const colour = genre.colours[genre.of[i]];
    return colour < 0 ? OTHER : colour;
  };
  const count = (number) => number.toLocaleString("en");
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase();

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }
  const named = (text) => make("bdi", {}, text);
  const spot = (colour) => make("span", { class: `spot c${colour}`, "aria-hidden": "true" });

  // What is chosen

  const isShown = new Uint8Array(n).fill(1);
  const orders = new Map([["", Uint32Array.from({ length: n }, (_, i) => i)]]);
  const sorting = { by: "", isDown: false };
  let listed = orders.get("");
  let pageNumber = 0;
  let current = -1;
  let near = [];
  let texts = null;

  function textOf(i) {
    texts ??= Array(n);
    texts[i] ??= fold(Object.values(wordOf).map((word) => word(i)).join("\n"));
    return texts[i];
  }

  function filter() {
    const words = fold(byId("query").value).split(/\s+/).filter(Boolean);
    const wanted = byId("genre").value;
    const isOfGenre = genre.words.map((words) =>
      wanted === "" ? true : wanted === "none" ? !words.length
        : words.some((word) => `=${fold(word)}` === wanted));
    const status = byId("state").value;
    const isOfState = state.words.map((word, s) =>
      status === "" || status === `=${word}` || status === `*${state.groups[s]}`);
    const [since, until] = ["since", "until"].map((id) => parseInt(byId(id).value, 10));
    for (let i = 0; i < n; i += 1) {
      const year = data.years[i];
      isShown[i] = Number(
        isOfGenre[genre.of[i]] && isOfState[state.of[i]]
        && !(year < since) && !(year > until) && (year || (isNaN(since) && isNaN(until)))
        && words.every((word) => textOf(i).includes(word)));
    }
    list();
    for (const chip of byId("tracks").querySelectorAll("[data-genre]"))
      chip.setAttribute("aria-pressed", String(chip.dataset.genre === wanted));
    map?.draw();
  }

  function order(by) {
    if (!orders.has(by)) {
      const keys = Array.from({ length: n }, (_, i) => fold(wordOf[by](i)));
      const before = (a, b) => (keys[a] < keys[b] ? -1 : Number(keys[a] > keys[b]));
      orders.set(by, Uint32Array.from(orders.get("")).sort((a, b) => before(a, b) || a - b));
    }
    return orders.get(by);
  }

  function list() {
    listed = order(sorting.by).filter((i) => isShown[i]);
    if (sorting.isDown) listed.reverse();
    if (sorting.by) { // what has no such word comes last, either way
      const has = (i) => wordOf[sorting.by](i) !== "";
      listed = Uint32Array.from([...listed.filter(has), ...listed.filter((i) => !has(i))]);
    }
    pageNumber = 0;
    byId("found").textContent = listed.length === n ? `${count(n)} ${n === 1 ? "track" : "tracks"}`
      : `${count(listed.length)} of ${count(n)} tracks`;
    showPage();
  }

  // The list

  function row(i) {
    const opener = make("button", { type: "button", class: "opens" }, named(title(i)));
    opener.addEventListener("click", () => choose(i, { isFromList: true }));
    const cell = (key, label, ...content) =>
      make("td", { role: "cell", class: `of-${key}`, "data-label": label }, ...content);
    const line = make("tr", { role: "row" },
      make("th", { role: "rowheader", scope: "row", class: "of-title" }, opener),
      cell("artist", "artist", named(wordOf.artist(i))),
      cell("album", "album", named(wordOf.album(i))),
      cell("genre", "genre", spot(colourOf(i)), named(wordOf.genre(i) || "no genre")),
      cell("year", "year", wordOf.year(i)),
      cell("state", "status", wordOf.state(i)));
    if (i === current) line.setAttribute("aria-current", "true");
    return line;
  }

  function showPage() {
    const n_pages = Math.max(1, Math.ceil(listed.length / PER_PAGE));
    const start = pageNumber * PER_PAGE;
    byId("rows").replaceChildren(...Array.from(listed.slice(start, start + PER_PAGE), row));
    byId("page").textContent = `Page ${count(pageNumber + 1)} of ${count(n_pages)}`;
    for (const id of ["first", "previous"]) byId(id).disabled = pageNumber === 0;
    for (const id of ["next-page", "last"]) byId(id).disabled = pageNumber === n_pages - 1;
    document.querySelector(".pager").hidden = n_pages === 1;
  }

  function turnTo(number) {
    pageNumber = number;
    showPage();
    byId("list").scrollIntoView({ block: "start" });
  }

  // The track beside the map

  function choose(i, { isFromList = false } = {}) {
    current = i;
    near = i < 0 || !map ? [] : map.nearest(i);
    const panel = byId("track");
    panel.replaceChildren(...(i < 0 ? [hint()] : about(i)));
    showPage();
    map?.mark();
    if (map && i >= 0)
      byId("map-says").textContent = [title(i), wordOf.artist(i), wordOf.genre(i) || "no genre"]
        .filter(Boolean).join(", ");
    if (!isFromList) return;
    panel.scrollIntoView({ block: "nearest" });
    panel.querySelector("h3").focus({ preventScroll: true });
  }

  const hint = () => make("p", { class: "note" }, map
    ? "Choose a dot, or a track of the list: it is shown here, with what lies nearest to it."
    : "Choose a track of the list to see more of it here.");

  function about(i) {
    const facts = [
      ["Artist", named(wordOf.artist(i))],
      ["Album", named(wordOf.album(i))],
      ["Year", wordOf.year(i)],
      ["Genre", make("span", {}, spot(colourOf(i)), named(wordOf.genre(i) || "no genre"))],
      ["Status", wordOf.state(i)],
      ["File", make("bdi", { class: "path" },
        `${folder.words[folder.of[i]].replace(/\/$/, "")}/${data.files[i]}`)],
    ].filter(([, what]) => (what.textContent ?? what) !== "");
    const parts = [
      make("h3", { tabindex: "-1" }, named(title(i))),
      make("dl", {}, ...facts.map(([term, what]) =>
        make("div", {}, make("dt", {}, term), make("dd", {}, what)))),
    ];
    if (near.length) parts.push(make("h4", {}, "Nearest on the map"), make("ol", {}, ...near.map(link)));
    return parts;
  }

  function link(i) {
    const words = [title(i), wordOf.artist(i)].filter(Boolean);
    const button = make("button", { type: "button", class: "opens" },
      spot(colourOf(i)), named(words.join(" – ")),
      make("small", {}, named(wordOf.genre(i) || "no genre")));
    button.addEventListener("click", () => choose(i, { isFromList: true }));
    return make("li", {}, button);
  }

  // The map

  function makeMap() {
    const box = byId("map");
    if (!box) return null;
    const RADIUS = n < 1500 ? 4.5 : n < 6000 ? 3.5 : n < 20000 ? 2.6 : 2;
    const MARGIN = 14;
    const REACH = 22; // pixels from a dot within which it is meant
    const [dots, marks] = [byId("dots"), byId("marks")];
    const places = data.places;
    const isThere = (i) => places[2 * i] >= 0;
    const view = { closeness: 1, x: 0.5, y: 0.5 };
    let [width, height, density] = [0, 0, 1];
    let hovered = -1;
    let isDrawing = false;

    const across = (i) =>
      MARGIN + (width - 2 * MARGIN) * ((places[2 * i] / FINEST - view.x) * view.closeness + 0.5);
    const down = (i) =>
      MARGIN + (height - 2 * MARGIN) * ((places[2 * i + 1] / FINEST - view.y) * view.closeness + 0.5);
    const colours = () => {
      const style = getComputedStyle(document.documentElement);
      const of = (name) => style.getPropertyValue(name).trim();
      return {
        kinds: [...Array(OTHER).keys()].map((g) => of(`--g${g}`)).concat(of("--other"), of("--none")),
        ink: of("--ink"), ground: of("--ground"),
      };
    };

    function fit() {
      density = window.devicePixelRatio || 1;
      width = box.clientWidth;
      height = box.clientHeight;
      for (const canvas of [dots, marks]) {
        canvas.width = Math.round(width * density);
        canvas.height = Math.round(height * density);
      }
      draw();
    }

    // The pixels of one dot.
    function stamp(colour, isHollow) {
      const side = Math.ceil((2 * RADIUS + 3) * density);
      const pen = make("canvas", { width: side, height: side }).getContext("2d");
      pen.arc(side / 2, side / 2, RADIUS * density, 0, 2 * Math.PI);
      pen.fillStyle = pen.strokeStyle = colour;
      pen.lineWidth = 1.2 * density;
      if (isHollow) pen.stroke();
      else pen.fill();
      return pen.getImageData(0, 0, side, side);
    }

    // Put into a picture pixel by pixel: fifty thousand calls to draw take many times as long.
    function put(into, width, height, dot, side, left, top, strength) {
      const [first, last] = [Math.max(0, -left), Math.min(side, width - left)];
      for (let y = Math.max(0, -top); y < side && top + y < height; y += 1) {
        let from = 4 * (y * side + first);
        let to = 4 * ((top + y) * width + left + first);
        for (let x = first; x < last; x += 1, from += 4, to += 4) {
          if (dot[from + 3] === 0) continue;
          const alpha = (dot[from + 3] / 255) * strength;
          into[to] += (dot[from] - into[to]) * alpha;
          into[to + 1] += (dot[from + 1] - into[to + 1]) * alpha;
          into[to + 2] += (dot[from + 2] - into[to + 2]) * alpha;
        }
      }
    }

    function draw() {
      if (isDrawing || !width) return;
      isDrawing = true;
      requestAnimationFrame(() => {
        isDrawing = false;
        paint();
        mark();
      });
    }

    function paint() {
      const pen = dots.getContext("2d", { willReadFrequently: true });
      const { kinds, ground } = colours();
      const stamps = kinds.map((colour, kind) => stamp(colour, kind === NONE));
      pen.fillStyle = ground;
      pen.fillRect(0, 0, dots.width, dots.height);
      const picture = pen.getImageData(0, 0, dots.width, dots.height);
      const { data: into, width: wide, height: high } = picture;
      const side = stamps[0].width;
      const stamped = stamps.map((one) => one.data);
      for (const wanted of [0, 1]) {
        const strength = wanted ? 0.78 : 0.07;
        for (let i = 0; i < n; i += 1) {
          if (isShown[i] !== wanted || !isThere(i)) continue;
          const left = Math.round(across(i) * density - side / 2);
          const top = Math.round(down(i) * density - side / 2);
          put(into, wide, high, stamped[colourOf(i)], side, left, top, strength);
        }
      }
      pen.putImageData(picture, 0, 0);
    }

    function mark() {
      const pen = marks.getContext("2d");
      const { kinds, ink, ground } = colours();
      pen.setTransform(density, 0, 0, density, 0, 0);
      pen.clearRect(0, 0, width, height);
      const ring = (i, radius, colour) => {
        pen.beginPath();
        pen.arc(across(i), down(i), radius, 0, 2 * Math.PI);
        pen.fillStyle = kinds[colourOf(i)];
        pen.strokeStyle = colour;
        pen.lineWidth = 2;
        pen.fill();
        pen.stroke();
      };
      if (current >= 0 && isThere(current)) {
        pen.strokeStyle = ink;
        pen.lineWidth = 1;
        pen.globalAlpha = 0.55;
        for (const i of near) {
          pen.beginPath();
          pen.moveTo(across(current), down(current));
          pen.lineTo(across(i), down(i));
          pen.stroke();
        }
        pen.globalAlpha = 1;
        for (const i of near) ring(i, RADIUS + 1, ground);
        ring(current, RADIUS + 4, ink);
      }
      names(pen, ink, ground);
      if (hovered >= 0) {
        ring(hovered, RADIUS + 3, ink);
        label(pen, hovered, ink, ground);
      }
    }

    function write(pen, text, x, y, ink, ground) {
      pen.strokeStyle = ground;
      pen.lineWidth = 5;
      pen.lineJoin = "round";
      pen.fillStyle = ink;
      pen.strokeText(text, x, y);
      pen.fillText(text, x, y);
    }

    const font = (weight) => `${weight} 13px ${getComputedStyle(box).fontFamily}`;

    function label(pen, i, ink, ground) {
      pen.font = font(600);
      pen.textAlign = "center";
      const text = [title(i), wordOf.artist(i)].filter(Boolean).join(" – ").slice(0, 60);
      const half = pen.measureText(text).width / 2 + 8;
      const x = Math.min(Math.max(across(i), half), Math.max(half, width - half));
      write(pen, text, x, down(i) < 34 ? down(i) + 26 : down(i) - 14, ink, ground);
    }

    // The names of the commonest genres, each about where the middle of its dots is.
    let middles = null;
    function names(pen, ink, ground) {
      middles ??= findMiddles();
      pen.font = font(650);
      pen.textAlign = "center";
      const taken = [];
      for (const { text, at } of middles) {
        const half = pen.measureText(text).width / 2 + 4;
        const x = Math.min(Math.max(across(at), half), width - half);
        const y = [0, -18, 18, -36, 36].map((shift) => down(at) + shift).find((y) =>
          y > 16 && y < height - 8
          && !taken.some((one) => Math.abs(one.x - x) < one.half + half && Math.abs(one.y - y) < 17));
        if (y === undefined) continue;
        taken.push({ x, y, half });
        write(pen, text, x, y, ink, ground);
      }
    }

    function findMiddles() {
      const of = Array.from({ length: OTHER }, () => []);
      for (let i = 0; i < n; i += 1) if (isThere(i)) of[colourOf(i)]?.push(i);
      const middle = (all, axis) =>
        all.map((i) => places[2 * i + axis]).sort((a, b) => a - b)[all.length >> 1];
      return of.filter((all) => all.length >= 5).map((all) => {
        const [x, y] = [middle(all, 0), middle(all, 1)];
        const far = (i) => Math.hypot(places[2 * i] - x, places[2 * i + 1] - y);
        return { text: genresOf(all[0])[0].slice(0, 24), at: all.reduce((a, b) => (far(a) <= far(b) ? a : b)) };
      });
    }

    // The one that costs least among the dots that are shown.
    function least(cost) {
      let [best, lowest] = [-1, Infinity];
      for (let i = 0; i < n; i += 1) {
        if (!isShown[i] || !isThere(i)) continue;
        const here = cost(i);
        if (here < lowest) [best, lowest] = [i, here];
      }
      return best;
    }
    const at = (x, y) => least((i) => {
      const far = Math.hypot(across(i) - x, down(i) - y);
      return far < REACH ? far : Infinity;
    });

    function nearest(from) {
      if (!isThere(from)) return [];
      const found = [];
      const [x, y] = [places[2 * from], places[2 * from + 1]];
      for (let i = 0; i < n; i += 1) {
        if (i === from || !isThere(i)) continue;
        const far = (places[2 * i] - x) ** 2 + (places[2 * i + 1] - y) ** 2;
        if (found.length === NEAREST && far >= found[NEAREST - 1].far) continue;
        found.push({ i, far });
        found.sort((a, b) => a.far - b.far);
        found.length = Math.min(found.length, NEAREST);
      }
      return found.map((one) => one.i);
    }

    function look(closeness, x = view.x, y = view.y) {
      view.closeness = Math.min(Math.max(closeness, 1), 60);
      const half = 0.5 / view.closeness;
      view.x = Math.min(Math.max(x, half), 1 - half);
      view.y = Math.min(Math.max(y, half), 1 - half);
      box.classList.toggle("close", view.closeness > 1);
      byId("farther").disabled = byId("whole").disabled = view.closeness === 1;
      draw();
    }
    function come(times) {
      const here = current >= 0 && isThere(current) && times > 1;
      look(view.closeness * times, ...(here ? [places[2 * current] / FINEST, places[2 * current + 1] / FINEST] : []));
    }
    function goTo(i) {
      choose(i);
      const isSeen = across(i) > 0 && across(i) < width && down(i) > 0 && down(i) < height;
      if (!isSeen) look(view.closeness, places[2 * i] / FINEST, places[2 * i + 1] / FINEST);
    }

    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const keys = {
      Escape: () => choose(-1), "+": () => come(1.6), "=": () => come(1.6), "-": () => come(1 / 1.6),
      0: () => look(1),
    };
    function walk([sx, sy]) {
      if (current < 0 || !isThere(current))
        return least((i) => Math.hypot(across(i) - width / 2, down(i) - height / 2));
      return least((i) => {
        const [dx, dy] = [across(i) - across(current), down(i) - down(current)];
        const ahead = dx * sx + dy * sy;
        const aside = Math.abs(dx * sy - dy * sx);
        return i !== current && ahead > 0.01 && aside <= 2 * ahead ? ahead + 2 * aside : Infinity;
      });
    }
    box.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const step = steps[event.key];
      if (!step && !keys[event.key]) return;
      event.preventDefault();
      if (!step) return keys[event.key]();
      const next = walk(step);
      if (next >= 0) goTo(next);
    });

    let held = null; // where the pointer went down, and what was looked at then
    const spotOf = (event) => {
      const corner = box.getBoundingClientRect();
      return [event.clientX - corner.left - box.clientLeft, event.clientY - corner.top - box.clientTop];
    };
    box.addEventListener("pointerdown", (event) => {
      held = { id: event.pointerId, from: spotOf(event), view: { ...view }, isDragged: false };
    });
    box.addEventListener("pointermove", (event) => {
      const [x, y] = spotOf(event);
      if (!event.buttons) held = null;
      if (held && view.closeness > 1) {
        const [dx, dy] = [x - held.from[0], y - held.from[1]];
        held.isDragged ||= Math.hypot(dx, dy) > 5;
        if (held.isDragged) {
          if (!box.hasPointerCapture(held.id)) box.setPointerCapture(held.id);
          return look(view.closeness, held.view.x - dx / width / view.closeness,
            held.view.y - dy / height / view.closeness);
        }
      }
      const found = event.pointerType === "touch" ? -1 : at(x, y);
      if (found === hovered) return;
      hovered = found;
      mark();
    });
    box.addEventListener("pointerleave", () => {
      hovered = -1;
      mark();
    });
    box.addEventListener("pointercancel", () => (held = null));
    box.addEventListener("click", (event) => {
      const isDragged = held?.isDragged;
      held = null;
      const found = isDragged ? -1 : at(...spotOf(event));
      if (found >= 0) choose(found);
    });
    box.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return; // two fingers that are spread; a plain wheel scrolls the page
      event.preventDefault();
      look(view.closeness * Math.exp(-event.deltaY / 100));
    }, { passive: false });
    byId("closer").addEventListener("click", () => come(1.6));
    byId("farther").addEventListener("click", () => come(1 / 1.6));
    byId("whole").addEventListener("click", () => look(1));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    byId("farther").disabled = byId("whole").disabled = true;
    function watch() {
      new ResizeObserver(fit).observe(box);
      for (const finer of [1.25, 1.75, 2.5]) // another screen, of the same size in its own pixels
        matchMedia(`(min-resolution: ${finer}dppx)`).addEventListener("change", fit);
    }
    return { draw, mark, nearest, watch };
  }

  // What can be chosen from

  function countWords() {
    const found = new Map();
    const perWord = Array(genre.words.length).fill(0);
    for (let i = 0; i < n; i += 1) perWord[genre.of[i]] += 1;
    genre.words.forEach((words, g) => {
      for (const word of words) {
        const key = fold(word);
        const one = found.get(key) ?? { word, n: 0 };
        found.set(key, { word: one.word, n: one.n + perWord[g] });
      }
    });
    return [...found].sort(([, a], [, b]) => b.n - a.n);
  }

  const option = (value, text) => make("option", { value }, text);

  function fillChoices() {
    const genres = countWords();
    byId("genre").append(option("", "any"), option("none", "no genre"),
      ...genres.map(([key, one]) => option(`=${key}`, `${one.word} (${count(one.n)})`)));
    const states = Array(state.words.length).fill(0);
    for (const s of state.of) states[s] += 1;
    const groups = new Set(state.groups.filter((group, s) => group !== state.words[s]));
    byId("state").append(option("", "any"),
      ...[...groups].map((group) => option(`*${group}`, `${group}, for any reason`)),
      ...state.words.map((word, s) => option(`=${word}`, `${word} (${count(states[s])})`)));
  }

  function fillColours() {
    if (!map) return;
    const seen = Array(NONE + 1).fill(0);
    const first = Array(OTHER).fill("");
    for (let i = 0; i < n; i += 1) {
      if (data.places[2 * i] < 0) continue;
      seen[colourOf(i)] += 1;
      if (colourOf(i) < OTHER) first[colourOf(i)] ||= genresOf(i)[0];
    }
    const titles = [...first, "other genres", "no genre"];
    byId("colours").append(...seen.flatMap((many, colour) => {
      if (!many) return [];
      const inside = [spot(colour), named(titles[colour]), " ", make("strong", {}, count(many))];
      if (colour === OTHER) return [make("li", {}, make("span", { class: "chip" }, ...inside))];
      const value = colour === NONE ? "none" : `=${fold(first[colour])}`;
      const chip = make("button", { type: "button", class: "chip", "data-genre": value, "aria-pressed": "false" }, ...inside);
      chip.addEventListener("click", () => {
        byId("genre").value = byId("genre").value === value ? "" : value;
        filter();
      });
      return [make("li", {}, chip)];
    }));
  }

  let isWaiting = 0;
  function filterSoon() {
    clearTimeout(isWaiting);
    isWaiting = setTimeout(filter, 60);
  }

  function sortBy(button) {
    sorting.isDown = sorting.by === button.dataset.sort && !sorting.isDown;
    sorting.by = button.dataset.sort;
    for (const head of document.querySelectorAll("#list th[aria-sort]")) head.removeAttribute("aria-sort");
    button.parentNode.setAttribute("aria-sort", sorting.isDown ? "descending" : "ascending");
    list();
  }

  byId("tracks").hidden = false;
  const map = makeMap();
  fillChoices();
  fillColours();
  choose(-1);
  list();
  map?.watch(); // it is drawn once it knows how large it is
  for (const id of ["query", "since", "until"]) byId(id).addEventListener("input", filterSoon);
  for (const id of ["genre", "state"]) byId(id).addEventListener("change", filter);
  for (const button of document.querySelectorAll("[data-sort]"))
    button.addEventListener("click", () => sortBy(button));
  byId("first").addEventListener("click", () => turnTo(0));
  byId("previous").addEventListener("click", () => turnTo(pageNumber - 1));
  byId("next-page").addEventListener("click", () => turnTo(pageNumber + 1));
  byId("last").addEventListener("click", () => turnTo(Math.ceil(listed.length / PER_PAGE) - 1));
  byId("clear").addEventListener("click", () => {
    for (const id of ["query", "genre", "state", "since", "until"]) byId(id).value = "";
    filter();
    byId("query").focus();
  });
})();
