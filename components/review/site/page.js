"use strict";
// All text that comes from files or people is set by textContent or as an attribute's value, never as markup.
const about = JSON.parse(document.getElementById("about").textContent);
const HIDDEN = ["editor, other speech", "editor, structure only", "editor, structure and lip"];
const MAIN = ["editor", "editor (B)", "companion"];
const COLOURS = 8;
const MOUTH = { x: 2 / 12, y: 5 / 12, width: 8 / 12, height: 6 / 12 }; // the window of core/media/geometry.py
const WHOLE = { x: 0, y: 0, width: 1, height: 1 };
const key = (kind, id) => kind + "\n" + id;
const decisions = new Map();
const canDecide = about.decides && location.protocol.startsWith("http");

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function draw(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Decisions ---------------------------------------------------------------------------------------------------------

function note(decision) {
  const name = key(decision.kind, decision.id);
  decisions.set(name, [...(decisions.get(name) || []), decision]);
}

function standing(kind, id) {
  const made = (decisions.get(key(kind, id)) || []).filter((one) => one.verdict !== "comment");
  return made[made.length - 1];
}

// Decisions of another run still stand for the pair or clip of that name; which run was looked at is said.
const origin = (one) => (one.run === about.run ? "" : ` (run ${one.run})`);

// The server's answer; an Error with its own words where it refuses.
async function ask(options) {
  const answer = await fetch("api/decisions", options);
  if (answer.ok) return answer.json();
  const text = await answer.text();
  const isJson = (answer.headers.get("content-type") || "").startsWith("application/json");
  throw new Error(isJson ? JSON.parse(text).error : text || answer.statusText);
}

// Every decision; where the server can't give them, those that the page was made with, and why.
async function known() {
  if (!canDecide) return about.decisions;
  try {
    return await ask();
  } catch (error) {
    document.getElementById("verdict-h").after(make("p", { className: "absent", role: "alert" },
      `Decisions made since this page was built are not shown: ${error.message}`));
    return about.decisions;
  }
}

function reviewer() {
  try { return localStorage.getItem("reviewer") || ""; } catch { return ""; }
}

function decider(kind, id, changed) {
  const list = make("ol", { className: "said" });
  const box = make("div", { className: "decide" });
  const show = () => {
    const made = decisions.get(key(kind, id)) || [];
    list.replaceChildren(...made.map((one) => make("li", {},
      `${one.verdict}: ${one.comment || "(no words)"} — ${one.reviewer}, ${one.time.slice(0, 16).replace("T", " ")} UTC${origin(one)}`)));
    list.hidden = !made.length;
  };
  if (canDecide) {
    const name = make("input", { value: reviewer(), size: 14, maxLength: 100, autocomplete: "name" });
    const words = make("textarea", { maxLength: 4000 });
    const status = make("p", { role: "status" });
    const send = async (verdict) => {
      status.textContent = "saving …";
      try {
        const said = await ask({
          method: "POST", headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ kind, id, verdict, comment: words.value, reviewer: name.value }),
        });
        try { localStorage.setItem("reviewer", name.value); } catch { /* a browser without storage asks again */ }
        note(said);
        words.value = "";
        status.textContent = `saved: ${said.verdict}`;
        show();
        changed();
      } catch (error) {
        status.textContent = `not saved: ${error.message}`;
      }
    };
    const buttons = [["approve", "Approve"], ["reject", "Reject"], ["comment", "Comment only"]].map(([verdict, label]) =>
      make("button", { type: "button", "data-verdict": verdict, onclick: () => send(verdict) }, label));
    box.append(make("div", { className: "bar" }, ...buttons, make("label", {}, "your name ", name)),
      make("label", {}, "comment", words), status);
  }
  box.append(list);
  box.hidden = !canDecide && !(decisions.get(key(kind, id)) || []).length;
  show();
  return box;
}

// A player ----------------------------------------------------------------------------------------------------------

function curves(item, seek) {
  const measured = Object.keys(item.curves).filter((name) => item.curves[name].some((value) => value !== null));
  const tiles = item.tiles.map(([, name]) => name).filter((name) => measured.includes(name));
  const names = [...tiles, ...measured.filter((name) => !tiles.includes(name))];
  const all = names.flatMap((name) => item.curves[name]).filter((value) => value !== null);
  const high = Math.max(...all), low = Math.min(...all), width = 600, height = 130;
  const x = (frame) => 4 + (width - 8) * frame / Math.max(1, item.frames - 1);
  const y = (value) => height - 6 - (height - 12) * (value - low) / (high - low || 1);
  const cursor = draw("line", { class: "cursor", y1: 0, y2: height });
  const svg = draw("svg", { class: "chart curve", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img",
    "aria-label": "lip opening over time" });
  const lines = names.map((name, number) => {
    let path = "", pen = false;
    item.curves[name].slice(0, item.frames).forEach((value, frame) => {
      if (value !== null) path += `${pen ? "L" : "M"}${x(frame).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = value !== null;
    });
    const line = draw("path", { class: `line c${number % COLOURS}`, d: path });
    svg.append(line);
    return line;
  });
  svg.append(cursor);
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    seek(Math.round(((event.clientX - box.left) / box.width * width - 4) / (width - 8) * (item.frames - 1)));
  });
  const keys = names.map((name, number) =>
    make("span", { className: "key" }, draw("svg", { class: "swatch", viewBox: "0 0 28 6", "aria-hidden": "true" },
      draw("path", { class: `line c${number % COLOURS}`, d: "M0 3H28" })), name));
  const scale = (...marks) => make("div", {}, ...marks.map((mark) => make("span", {}, typeof mark === "number" ? figure(mark) : mark)));
  const seconds = (frame) => `${(frame / item.fps).toFixed(2)} s`, middle = (item.frames - 1) / 2;
  const legend = make("p", { className: "legend" }, ...keys);
  return {
    element: names.length ? make("div", {}, make("p", {}, "lip opening over time, as a share of the eyes' distance"),
      make("div", { className: "plot" }, scale(high, (high + low) / 2, low), svg, scale("0 s", seconds(middle), seconds(item.frames - 1))), legend)
      : make("p", {}, "lip opening: not measured"),
    at: (frame) => { cursor.setAttribute("x1", x(frame)); cursor.setAttribute("x2", x(frame)); },
    show: (tile, on) => names.forEach((name, number) => {
      if (name === tile) { lines[number].style.display = on ? "" : "none"; keys[number].hidden = !on; }
    }),
  };
}

function player(item, changed) {
  const film = make("video", { src: item.film, preload: "auto", playsInline: true });
  film.crossOrigin = location.protocol.startsWith("http") ? "anonymous" : null;
  const canvases = item.tiles.map(([index, name]) => {
    // Crops are square: their room is kept, so that nothing moves under the pointer when the film arrives.
    const canvas = make("canvas", { width: 1, height: 1, "data-tile": name, role: "img", "aria-label": name });
    return { index, name, canvas, figure: make("figure", {}, canvas, make("figcaption", {}, name)) };
  });
  const slider = make("input", { type: "range", min: 0, max: item.frames - 1, value: 0, "aria-label": "frame" });
  const count = make("output", {});
  const mouth = make("input", { type: "checkbox" });
  mouth.onchange = () => paint(film.currentTime);
  let frame = 0;
  // One decoded picture holds all tiles, so that they are always the same frame.
  const paint = (time) => {
    frame = Math.min(item.frames - 1, Math.max(0, Math.floor(time * item.fps + 0.001)));
    const part = mouth.checked ? MOUTH : WHOLE;
    const [side, height] = [film.videoWidth / item.count, film.videoHeight];
    const [width, tall] = [side * part.width, height * part.height];
    for (const { index, canvas } of canvases) {
      if (canvas.width !== width || canvas.height !== tall) { canvas.width = width; canvas.height = tall; }
      canvas.getContext("2d").drawImage(film, (index + part.x) * side, part.y * height, width, tall, 0, 0, width, tall);
      canvas.dataset.frame = frame;
    }
    slider.value = frame;
    count.textContent = `frame ${frame + 1} of ${item.frames}, ${(frame / item.fps).toFixed(2)} s`;
    curve.at(frame);
  };
  const seek = (wanted) => {
    film.pause();
    film.currentTime = (Math.min(item.frames - 1, Math.max(0, wanted)) + 0.5) / item.fps;
  };
  const curve = curves(item, seek);
  const watch = (_, shown) => { paint(shown.mediaTime); film.requestVideoFrameCallback(watch); };
  if ("requestVideoFrameCallback" in film) film.requestVideoFrameCallback(watch);
  else film.addEventListener("timeupdate", () => paint(film.currentTime));
  film.addEventListener("seeked", () => paint(film.currentTime));
  film.addEventListener("loadeddata", () => paint(0));
  const play = make("button", { type: "button", "data-role": "play" }, "Play");
  film.addEventListener("play", () => { play.textContent = "Pause"; });
  film.addEventListener("pause", () => { play.textContent = "Play"; });
  film.addEventListener("error", () => { count.textContent = "this film can't be played"; });
  const toggle = () => (film.paused ? film.play() : film.pause());
  play.onclick = toggle;
  slider.oninput = () => seek(Number(slider.value));
  const speed = make("select", { "aria-label": "speed" }, ...[1, 0.5, 0.25].map((rate) =>
    make("option", { value: rate }, `${rate}×`)));
  speed.onchange = () => { film.playbackRate = Number(speed.value); };
  const loop = make("input", { type: "checkbox" });
  loop.onchange = () => { film.loop = loop.checked; };
  const step = (label, by, role) => make("button", { type: "button", "aria-label": label, "data-role": role,
    onclick: () => seek(frame + by) }, by < 0 ? "◀|" : "|▶");
  const boxes = canvases.map(({ name, figure }) => {
    const box = make("input", { type: "checkbox", checked: !HIDDEN.some((start) => name.startsWith(start)) });
    box.onchange = () => { figure.hidden = !box.checked; curve.show(name, box.checked); };
    box.onchange();
    return make("label", {}, box, " ", name);
  });
  const element = make("div", { tabIndex: -1, "data-id": item.id },
    make("h3", {}, item.id),
    make("p", {}, item.reason ? `In quarantine: ${item.reason}. ` : "", [...item.slices, ""].join(" · "),
      make("a", { href: address(item) }, "link to this one"), " · ", make("a", { href: item.film }, "the film itself")),
    make("div", { className: item.tiles.some(([, name]) => name.endsWith(" (B)")) ? "tiles twos" : "tiles" }, ...canvases.map(({ figure }) => figure)),
    make("div", { className: "bar" }, play, step("one frame back", -1, "back"), step("one frame on", 1, "on"), slider, speed,
      make("label", {}, loop, " loop"), make("label", {}, mouth, " mouth only"), count),
    make("fieldset", { className: "shown" }, make("legend", {}, "show"), ...boxes),
    curve.element, values(item), decider(item.kind, item.id, changed));
  element.addEventListener("keydown", (event) => {
    if (["INPUT", "TEXTAREA", "SELECT", "BUTTON"].includes(event.target.tagName)) return;
    const action = { " ": toggle, ArrowLeft: () => seek(frame - 1), ArrowRight: () => seek(frame + 1) }[event.key];
    if (action) { action(); event.preventDefault(); }
  });
  return { element, film, stop: () => { film.pause(); film.removeAttribute("src"); film.load(); } };
}

function values(item) {
  const tiles = item.tiles.map(([, name]) => name).filter((name) => item.values[name]);
  const names = [...new Set(tiles.flatMap((name) => Object.keys(item.values[name])))];
  const head = make("tr", {}, ...["metric", ...tiles].map((name) => make("th", { scope: "col" }, name)));
  const lines = names.map((name) => make("tr", {}, make("th", { scope: "row" }, name), ...tiles.map((tile) =>
    make("td", {}, figure(item.values[tile][name])))));
  return make("details", {}, make("summary", {}, "figures of this one"), make("div", { className: "scroll", tabIndex: 0,
    role: "region", "aria-label": "figures of this one" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines))));
}

const figure = (value) => (value === undefined ? "–" : Number(value.toPrecision(3)).toString());

// A list of clips or pairs ------------------------------------------------------------------------------------------

function badness(metric, value) {
  const right = about.right[metric];
  return right === "up" ? -value : right === "down" ? value : right === undefined ? -value : Math.abs(value - right);
}

function gallery(section) {
  const kind = section.dataset.kind;
  const items = about.items.filter((item) => item.kind === kind);
  const part = (role) => section.querySelector(`[data-role="${role}"]`);
  if (!items.length) return;
  const list = part("list");
  const options = (select, names, chosen) => {
    select.append(...names.map((name) => make("option", { value: name, selected: name === chosen }, name)));
  };
  const tiles = [...new Set(items.flatMap((item) => item.tiles.map(([, name]) => name).filter((name) => item.values[name])))];
  const metrics = [...new Set(items.flatMap((item) => Object.values(item.values).flatMap(Object.keys)))];
  options(part("tile"), tiles, tiles.find((name) => MAIN.includes(name)));
  options(part("metric"), metrics, metrics.includes("lip_opening_r") ? "lip_opening_r" : "opening_r");
  options(part("slice"), [...new Set(items.flatMap((item) => item.slices))].sort());
  let current = null, chosen = "";
  const open = (item) => {
    if (current) current.stop();
    chosen = item.id;
    current = player(item, fill);
    part("player").replaceChildren(current.element);
    mark();
  };
  const mark = () => list.querySelectorAll("button").forEach((button) =>
    button.setAttribute("aria-current", String(button.dataset.id === chosen)));
  const fill = () => {
    const [metric, tile, end, slice, search, state] = ["metric", "tile", "end", "slice", "search", "state"].map((role) => part(role).value);
    const value = (item) => (item.values[tile] || {})[metric];
    const wanted = items.filter((item) => (!slice || item.slices.includes(slice)) && item.id.toLowerCase().includes(search.toLowerCase())
      && (!state || (standing(kind, item.id)?.verdict || "open") === state));
    const sign = end === "worst" ? -1 : 1;
    const rank = (item) => (value(item) === undefined ? Infinity : sign * badness(metric, value(item)));
    wanted.sort((a, b) => (rank(a) === rank(b) ? a.id.localeCompare(b.id) : rank(a) - rank(b)));
    list.replaceChildren(...wanted.map((item) => {
      const last = standing(kind, item.id);
      const said = [item.reason && `quarantined: ${item.reason}`,
        last && { approve: "approved", reject: "rejected" }[last.verdict] + origin(last)];
      return make("li", {}, make("button", { type: "button", "data-id": item.id, onclick: () => open(item) },
        make("span", { className: "figure" }, figure(value(item))), item.id,
        make("span", { className: "mark" }, said.filter(Boolean).join(" · "))));
    }));
    part("count").textContent = `${wanted.length} of ${items.length}`;
    mark();
    return wanted;
  };
  for (const role of ["metric", "tile", "end", "slice", "search", "state"]) part(role).addEventListener("input", fill);
  const first = fill()[0];
  if (first) open(first);
  return (id) => {
    const item = items.find((one) => one.id === id);
    if (!item) return;
    open(item);
    section.scrollIntoView();
  };
}

// #pair:<pair_id> and #clip:<pair_id> open a player: the links of the quarantine table, and those that people send.
const address = (item) => `#${item.kind}:${encodeURIComponent(item.id)}`;

function follow(openers) {
  const [, kind, id] = /^#(\w+):(.*)$/s.exec(location.hash) || [];
  if (!openers[kind]) return;
  try { openers[kind](decodeURIComponent(id)); } catch { /* half an escape: a link that was cut off opens nothing */ }
}

async function start() {
  (await known()).forEach(note);
  const openers = {};
  document.querySelectorAll("[data-kind]").forEach((section) => { openers[section.dataset.kind] = gallery(section); });
  window.addEventListener("hashchange", () => follow(openers));
  follow(openers);
  document.querySelectorAll('[data-decide="model"]').forEach((place) => place.replaceChildren(decider("model", place.dataset.id, () => {})));
  document.body.dataset.ready = "yes";
}

start();
