"use strict";
// The tracks as the page holds them, and what all parts of its script use: the files beside this
// one follow it in one script. What is shown is put in place as text, never as HTML.
const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const n = data.titles.length;
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
