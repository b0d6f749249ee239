// All tracks: searched, filtered, sorted, listed page by page, and one of them shown at a time.

// What is chosen

const isShown = new Uint8Array(n).fill(1);
const orders = new Map([["", Uint32Array.from({ length: n }, (_, i) => i)]]);
const sorting = { by: "", isDown: false };
let listed = orders.get("");
let pageNumber = 0;
let current = -1;
let near = [];
let texts = null;
let map = null;

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
  if (near.length)
    parts.push(make("h4", {}, "Nearest on the map"), make("ol", {}, ...near.map(link)));
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
    const chip = make("button", { type: "button", class: "chip" }, ...inside);
    chip.dataset.genre = value;
    chip.ariaPressed = "false";
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
  for (const head of document.querySelectorAll("#list th[aria-sort]"))
    head.removeAttribute("aria-sort");
  button.parentNode.setAttribute("aria-sort", sorting.isDown ? "descending" : "ascending");
  list();
}

function start() {
  byId("tracks").hidden = false;
  map = makeMap();
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
}

if (n) start();
