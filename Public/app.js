// Makes pages nicer; every page works without it.
"use strict";

// "/" goes to the search box, unless someone is typing.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target;
  if (target.closest && target.closest("input, textarea, select, [contenteditable]")) return;
  const fields = [...document.querySelectorAll('[data-focus-key="/"]')];
  const field = fields.find((candidate) => candidate.offsetParent);
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});

// A form that cannot be taken back asks first.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// Relative times stay true while a page is open. The workspace's clock may differ from this
// device's, so time passes from the moment the server named.
const drawnAt = Date.parse(document.body.dataset.now || "");
if (!Number.isNaN(drawnAt)) {
  const openedAt = Date.now();
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang);
  const spans = [
    [45, null],
    [3570, "minute", 60],
    [84600, "hour", 3600],
    [2592000, "day", 86400],
  ];
  setInterval(() => {
    const now = drawnAt + (Date.now() - openedAt);
    for (const element of document.querySelectorAll("time[datetime]")) {
      const seconds = Math.round((Date.parse(element.dateTime) - now) / 1000);
      const span = spans.find(([limit]) => Math.abs(seconds) < limit);
      if (!span || !span[1]) continue;
      const count = Math.max(1, Math.round(Math.abs(seconds) / span[2]));
      element.textContent = words.format(seconds < 0 ? -count : count, span[1]);
    }
  }, 30000);
}

// A page that shows work under way looks again by itself, as long as somebody looks at it.
const waiting = document.querySelector("[data-look-again]");
if (waiting) {
  setInterval(() => {
    if (!document.hidden) window.location.reload();
  }, 1000 * Number(waiting.dataset.lookAgain));
}

// Copies what stands in a field.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // Without TLS there is no clipboard to write to.
      field.select();
      if (!document.execCommand("copy")) return;
    }
    button.textContent = button.dataset.copied;
  });
}
