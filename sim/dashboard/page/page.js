// The page asks, the program answers: every call is JSON, and text from files is only ever set as text.
"use strict";

const at = (id) => document.getElementById(id);
const session = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
let playing = false;
let busy = false;
let frame = { day: 0, days: 0 };
let checks = 0;          // only the answer to the latest check counts

async function call(name, given) {
  try {
    const answer = await fetch("/call/" + name, { method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ session, ...given }) });
    return await answer.json();
  } catch {
    return { error: "The program does not answer any more; start it again and reload this page." };
  }
}

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function sentence(node, text) {
  node.hidden = !text;
  node.textContent = text || "";
}

// The form ----------------------------------------------------------------------------------------------------------

function field(parameter) {
  const label = element("label", undefined, "field");
  label.dataset.path = parameter.path;
  label.append(element("span", parameter.path, "path"));
  const input = element(parameter.choices.length ? "select" : "input");
  if (parameter.choices.length) {
    for (const choice of parameter.choices) input.append(new Option(choice, choice));
  } else {
    input.autocomplete = "off";
    input.spellcheck = false;
  }
  input.value = parameter.value;
  input.dataset.value = parameter.value;
  input.name = parameter.path;
  label.append(input);
  if (parameter.slider) {
    const slider = element("input");
    Object.assign(slider, { type: "range", min: parameter.slider.low, max: parameter.slider.high,
      step: parameter.slider.step, value: parameter.value, tabIndex: -1 });
    slider.setAttribute("aria-label", parameter.path);
    slider.addEventListener("input", () => {
      input.value = String(Number(Number(slider.value).toPrecision(4)));
    });
    slider.addEventListener("change", changed);
    input.addEventListener("input", () => { slider.value = input.value; });
    label.append(slider);
  }
  input.addEventListener("change", changed);
  label.append(element("span", parameter.description, "what"),
    element("span", `${parameter.allowed}; ${parameter.evidence}`, "allowed"));
  return label;
}

function inputs() {
  return [...document.querySelectorAll("#parameters .field")].map((label) => label.querySelector("[name]"));
}

function choice() {
  const changes = {};
  for (const input of inputs()) if (input.value !== input.dataset.value) changes[input.name] = input.value;
  return { scenario: at("scenario").value, against: at("against").value, changes, further: at("further").value };
}

async function changed() {
  for (const input of inputs()) {
    input.closest(".field").classList.toggle("changed", input.value !== input.dataset.value);
  }
  at("reset").classList.add("due");
  const number = ++checks;
  const answer = await call("check", choice());
  if (number === checks) faults(answer);
}

function faults(answer) {
  const found = answer.faults || (answer.error ? [{ path: "", message: answer.error }] : []);
  at("faults").hidden = !found.length;
  at("faults").replaceChildren(...found.map((one) => element("p", one.message)));
  for (const input of inputs()) {
    input.closest(".field").classList.toggle("bad", found.some((one) => one.path === input.name));
  }
  if (found.length) at("settings").open = true;
  return found.length > 0;
}

async function choose() {
  pause();
  const name = at("scenario").value;
  const answer = await call("form", { scenario: name });
  if (faults(answer)) return;
  at("question").textContent = answer.question;
  at("against").replaceChildren(...answer.comparisons.map((one) => new Option(one.meaning, one.name)));
  at("parameters").replaceChildren(...answer.parameters.map(field));
  at("further").value = "";
  await reset();
}

// The days ----------------------------------------------------------------------------------------------------------

function pause() {
  playing = false;
  buttons();
}

function buttons() {
  const ready = frame.days > 0 && frame.day < frame.days;
  at("play").textContent = playing ? "Pause" : "Play";
  at("play").disabled = !ready && !playing;
  at("step").disabled = !ready || playing || busy;
  at("reset").disabled = busy && !playing;
  at("view").setAttribute("aria-busy", String(busy));
}

async function ask(name, given, saying) {
  while (busy) await new Promise((done) => setTimeout(done, 40));
  busy = true;
  if (saying) at("clock").textContent = saying;
  buttons();
  const answer = await call(name, given);
  busy = false;
  return answer;
}

async function reset() {
  pause();
  const before = at("clock").textContent;
  const answer = await ask("start", choice(), "building the markets ...");
  const bad = faults(answer);
  if (bad) at("clock").textContent = before;
  else {
    at("reset").classList.remove("due");
    sentence(at("trouble"), "");
    show(answer);
    await step(1);
  }
  buttons();
}

async function step(days) {
  const answer = await ask("step", { days });
  if (answer.gone) answer.error = "This run has been freed; Reset begins it again.";
  if (answer.error) {
    sentence(at("trouble"), answer.error);
    playing = false;
    frame = { ...frame, days: 0 };
  } else show(answer);
  buttons();
}

async function play() {
  if (playing) return pause();
  playing = true;
  while (playing && frame.day < frame.days) {
    await step(Number(at("speed").value));
    await new Promise((done) => setTimeout(done, 60));
  }
  pause();
}

function show(answer) {
  frame = answer;
  at("clock").textContent = `${answer.day.toLocaleString("en")} of ${answer.days.toLocaleString("en")} days`;
  at("progress").max = answer.days || 1;
  at("progress").value = answer.day;
  at("key").hidden = !answer.label || !answer.pictures.length;
  at("key").textContent = `Solid: your market. Dashed or grey: ${answer.label}, on the same seed.`;
  const pictures = at("pictures");
  while (pictures.children.length > answer.pictures.length) pictures.lastChild.remove();
  answer.pictures.forEach((one, place) => {
    const image = pictures.children[place] || pictures.appendChild(element("img"));
    image.src = one.image;
    image.alt = one.words;
  });
  at("tables").hidden = !answer.pictures.length;
  const head = element("tr");
  head.append(element("th"), element("th", "yours", "number"));
  if (answer.label) head.append(element("th", answer.label, "number"));
  at("figures").replaceChildren(head, ...answer.figures.map((one) => {
    const row = element("tr");
    const name = element("td", one.name + " ");
    name.append(element("small", one.unit));
    row.append(name, element("td", one.yours, "number"));
    if (answer.label) row.append(element("td", one.other, "number"));
    return row;
  }));
  const titles = element("tr");
  titles.append(element("th", "day", "number"), element("th", "what"), element("th", "who"));
  at("events").replaceChildren(titles, ...answer.events.map((one) => {
    const row = element("tr");
    row.append(element("td", one.day, "number"), element("td", one.kind),
      element("td", one.amount ? `${one.subject} (${one.amount})` : one.subject));
    return row;
  }));
  if (!answer.events.length) at("events").replaceChildren(element("caption", "none yet"));
  at("more").textContent = answer.more_events ? `and ${answer.more_events} before` : "";
}

// The beginning and the end -----------------------------------------------------------------------------------------

async function begin() {
  if (window.matchMedia("(max-width: 820px)").matches) at("settings").open = false;
  const answer = await call("scenarios", {});
  const known = answer.scenarios || [];
  at("scenario").replaceChildren(...known.map((one) => new Option(one.name, one.name)));
  at("scenario").addEventListener("change", choose);
  at("against").addEventListener("change", changed);
  at("further").addEventListener("change", changed);
  at("play").addEventListener("click", play);
  at("step").addEventListener("click", () => step(1));
  at("reset").addEventListener("click", reset);
  await choose();
}

window.addEventListener("pagehide", () => {
  const body = new Blob([JSON.stringify({ session })], { type: "application/json" });
  navigator.sendBeacon("/call/close", body);
});
begin();
