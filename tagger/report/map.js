// The map: a dot a track, walked through by mouse or keys, looked at from nearer by.

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
      const text = genresOf(all[0])[0].slice(0, 24);
      return { text, at: all.reduce((a, b) => (far(a) <= far(b) ? a : b)) };
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
  const middleOf = (i) => [places[2 * i] / FINEST, places[2 * i + 1] / FINEST];
  function come(times) {
    const here = current >= 0 && isThere(current) && times > 1;
    look(view.closeness * times, ...(here ? middleOf(current) : []));
  }
  function goTo(i) {
    choose(i);
    const isSeen = across(i) > 0 && across(i) < width && down(i) > 0 && down(i) < height;
    if (!isSeen) look(view.closeness, ...middleOf(i));
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
    const [left, top] = [corner.left + box.clientLeft, corner.top + box.clientTop];
    return [event.clientX - left, event.clientY - top];
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
