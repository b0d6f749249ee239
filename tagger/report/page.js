"use strict";
// The map: the name of the dot that is pointed at, or gone to with the arrow keys.
(() => {
  const map = document.getElementById("map");
  if (!map) return;
  const svg = map.querySelector("svg");
  const ring = document.getElementById("ring");
  const says = document.getElementById("map-says");
  const dots = Array.from(document.querySelectorAll("#dots circle"), (circle) => {
    const title = circle.querySelector("title");
    const dot = {
      circle,
      x: circle.cx.baseVal.value,
      y: circle.cy.baseVal.value,
      name: title.textContent,
    };
    title.remove();  // the browser would show it a second time
    return dot;
  });
  map.setAttribute("role", "application");  // so that a screen reader lets the arrow keys through
  document.getElementById("map-help").hidden = false;
  let current = null;

  const isShown = (dot) => getComputedStyle(dot.circle).opacity === "1";
  const show = (dot) => {
    current = dot;
    ring.setAttribute("visibility", dot ? "visible" : "hidden");
    if (!dot) return;
    ring.setAttribute("cx", dot.x);
    ring.setAttribute("cy", dot.y);
    says.textContent = dot.name;
  };
  const nearest = (x, y, cost) => {
    let best = null;
    let least = Infinity;
    for (const dot of dots) {
      const far = cost(dot.x - x, dot.y - y);
      if (far < least && isShown(dot)) [best, least] = [dot, far];
    }
    return best;
  };
  const distance = (dx, dy) => Math.hypot(dx, dy);

  svg.addEventListener("pointermove", (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(
      svg.getScreenCTM().inverse(),
    );
    const dot = nearest(at.x, at.y, (dx, dy) => (distance(dx, dy) < 30 ? distance(dx, dy) : Infinity));
    if (dot && dot !== current) show(dot);
  });

  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  map.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (event.key === "Escape") show(null);
    if (!step) return;
    event.preventDefault();
    if (!current) {
      show(nearest(500, 320, distance));
      return;
    }
    const [sx, sy] = step;
    const next = nearest(current.x, current.y, (dx, dy) => {
      const ahead = dx * sx + dy * sy;
      const aside = Math.abs(dx * sy - dy * sx);
      return ahead > 0.5 && aside <= 2 * ahead ? ahead + 2 * aside : Infinity;
    });
    if (next) show(next);
  });
})();
