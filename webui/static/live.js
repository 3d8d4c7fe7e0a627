// A run as it happens: the server sends steps and what came of them as pieces of the page.
"use strict";

const steps = document.querySelector("[data-stream]");
if (steps) follow(steps);

document.querySelectorAll("[data-since]").forEach(count);

function follow(list) {
  const stream = new EventSource(list.dataset.stream);
  stream.addEventListener("step", (message) => {
    document.querySelector(".waiting").hidden = true;
    const piece = document.createElement("template");
    piece.innerHTML = message.data;
    for (const element of [...piece.content.children]) place(list, element);
  });
  stream.addEventListener("state", (message) => {
    const state = document.getElementById("state");
    const focused = state.contains(document.activeElement);
    state.innerHTML = message.data;
    if (focused) state.querySelector("button, a")?.focus();
    state.querySelectorAll("[data-since]").forEach(count);
  });
  stream.addEventListener("end", () => {
    stream.close();
    const waiting = document.querySelector(".waiting");
    if (!list.children.length) waiting.textContent = waiting.dataset.none;
  });
}

function place(list, element) {
  const known = element.id && document.getElementById(element.id);
  if (known) return;
  const step = element.dataset.step && document.getElementById(`step-${element.dataset.step}`);
  if (!step) {
    list.append(element);
    // who reads something above is not pulled away from it
    if (innerHeight + scrollY > document.body.scrollHeight - 200) element.scrollIntoView({ block: "nearest" });
    return;
  }
  const status = element.className.split(" ").at(-1);
  step.classList.add(status);
  (element.classList.contains("result") ? step.querySelector(".results") : step).append(element);
}

function count(element) {
  const since = Date.parse(element.dataset.since);
  const timer = setInterval(() => {
    if (!element.isConnected) return clearInterval(timer);
    const seconds = Math.max(0, Math.round((Date.now() - since) / 1000));
    element.textContent = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }, 1000);
}
