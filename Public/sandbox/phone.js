// Saves reloads; every page works without it.
(() => {
  "use strict";
  const transcript = document.getElementById("transcript");
  const notices = document.getElementById("notices");

  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  if (!transcript) return;
  document.querySelector(".refresh")?.setAttribute("hidden", "");

  let tag = "";
  const toEnd = () => { transcript.scrollTop = transcript.scrollHeight; };
  // Only what differs is redrawn, so focus stays and a screen reader hears new messages only.
  const show = (html) => {
    const isAtEnd =
      transcript.scrollHeight - transcript.scrollTop - transcript.clientHeight < 80;
    const template = document.createElement("template");
    template.innerHTML = html;
    const next = [...template.content.children];
    const current = [...transcript.children];
    next.forEach((element, index) => {
      if (!current[index]) transcript.append(element);
      else if (current[index].outerHTML !== element.outerHTML) current[index].replaceWith(element);
    });
    current.slice(next.length).forEach((element) => element.remove());
    if (isAtEnd) toEnd();
  };
  const refresh = async () => {
    try {
      const headers = tag ? { "If-None-Match": tag } : {};
      const reply = await fetch(transcript.dataset.source, { headers });
      if (reply.status !== 200) return;
      show(await reply.text());
      tag = reply.headers.get("ETag") || "";
    } catch { /* the next round tries again */ }
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!("stay" in form.dataset)) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    const field = form.querySelector("input[type=text]");
    if (field) field.value = "";
    form.closest("details")?.removeAttribute("open");
    try {
      const reply = await fetch(form.action, { method: "POST", body });
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const words = page.getElementById("notices");
      notices.replaceChildren(...(words ? words.childNodes : []));
    } catch {
      notices.textContent = "The sandbox cannot be reached.";
    }
    await refresh();
    toEnd();
  });

  toEnd();
  const tick = async () => {
    if (!document.hidden) await refresh();
    setTimeout(tick, 1000);
  };
  setTimeout(tick, 1000);
})();
