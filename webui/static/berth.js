// What the pages do beyond htmx: theme, copying, confirming. Without it every page still works.
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.switch === "theme") switchTheme();
  if (button.dataset.copy) copy(button, document.getElementById(button.dataset.copy).textContent.trim());
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) event.preventDefault();
  // a second click must not send the form twice
  else if (form.method === "post" && !form.hasAttribute("hx-post")) setTimeout(() => lock(form));
});

// the browser shows the page as it was left when one goes back
window.addEventListener("pageshow", () => document.querySelectorAll("button[data-locked]").forEach(unlock));

document.addEventListener("input", (event) => {
  const shown = event.target.type === "range" && document.getElementById(`${event.target.id}-value`);
  if (shown) shown.textContent = event.target.value;
});

function switchTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const root = document.documentElement;
  const now = root.dataset.theme || (dark ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${root.dataset.theme}; Path=/; Max-Age=31536000; SameSite=Strict${secure}`;
}

async function copy(button, text) {
  const said = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select and copy";
    getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
  }
  document.getElementById("announcements").textContent = button.textContent;
  setTimeout(() => { button.textContent = said; }, 2000);
}

function lock(form) {
  form.querySelectorAll("button:not([type=button])").forEach((button) => {
    if (button.disabled) return;
    button.dataset.locked = "";
    button.disabled = true;
  });
}

function unlock(button) {
  delete button.dataset.locked;
  button.disabled = false;
}
