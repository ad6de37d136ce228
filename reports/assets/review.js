"use strict";
(() => {
  const data = JSON.parse(document.getElementById("queue").textContent);
  const items = data.items, answers = new Array(items.length).fill(null);
  const part = (id) => document.getElementById(id);
  // The names and labels are sealed, so that nobody reads them in the source by chance; opened when the reader has decided.
  const opened = (i) => {
    let state = ((i + 1) * 2654435761 + 97) % 4294967296;
    const sealed = atob(items[i].sealed), plain = new Uint8Array(sealed.length);
    for (let k = 0; k < sealed.length; k += 1) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      plain[k] = sealed.charCodeAt(k) ^ (state >>> 24);
    }
    return JSON.parse(new TextDecoder().decode(plain));
  };
  let at = 0, open = false, readAs = "", saved = true;

  const show = () => {
    const item = items[at], answered = answers.filter((a) => a !== null).length;
    part("progress").textContent = `${Math.min(at + 1, items.length)} of ${items.length}, ${answered} answered`;
    part("card").hidden = item === undefined;
    part("done").hidden = item !== undefined;
    part("back").disabled = at === 0;
    if (item === undefined) return;
    const earlier = answers[at];
    part("picture").hidden = item.picture === "";
    if (item.picture) part("picture").src = item.picture; else part("picture").removeAttribute("src");
    // A file's name tells its class too often: before the answer the picture has a number alone.
    const told = open ? opened(at) : null;
    const name = told ? told.record : `picture ${at + 1}`;
    part("record").textContent = item.picture ? name : `${name} (no picture here: ${told ? "open the file" : "its file is named in queue.csv"})`;
    part("read").hidden = open;
    part("judge").hidden = !open;
    // Blind: the label enters the visible page only once the reader has decided.
    part("given").textContent = told ? told.given : "";
    part("model").textContent = !told ? "" : (readAs ? `You saw ${readAs}. ` : "") + (told.suggested ? `The model says ${told.suggested}.` : "");
    for (const button of document.querySelectorAll("[data-answer]")) {
      const kind = button.dataset.answer;
      const expected = readAs === "" ? null : told && readAs === told.given ? "right" : "wrong";
      button.setAttribute("aria-pressed", String(earlier ? earlier.answer === kind : expected === kind));
    }
  };
  const reveal = (name) => { readAs = name; open = true; show(); };
  const answer = (kind) => {
    const item = opened(at);
    answers[at] = { record: item.record, given: item.given, flagged: item.flagged, answer: kind, read_as: readAs };
    saved = false; at += 1; open = false; readAs = ""; show();
  };
  const back = () => { if (at > 0) { at -= 1; open = false; readAs = ""; show(); } };
  const save = () => {
    const body = JSON.stringify({ ...data.envelope, answers: answers.filter((a) => a !== null) }, null, 1);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([body], { type: "application/json" }));
    link.download = "answers.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    saved = true;
  };

  data.classes.forEach((name, i) => {
    const button = document.createElement("button"), key = document.createElement("kbd");
    button.type = "button"; key.textContent = String(i + 1);
    button.append(key, name);
    button.addEventListener("click", () => reveal(name));
    part("classes").append(button);
  });
  part("decided").addEventListener("click", () => reveal(""));
  part("back").addEventListener("click", back);
  part("save").addEventListener("click", save);
  for (const button of document.querySelectorAll("[data-answer]")) button.addEventListener("click", () => answer(button.dataset.answer));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const key = event.key.toLowerCase();
    if (key === "b") return back();
    if (key === "s") return save();
    if (at >= items.length) return;
    if (open) {
      const kind = { r: "right", w: "wrong", a: "ambiguous", c: "cannot tell" }[key];
      if (kind) answer(kind);
    } else if (key === "enter" && event.target.tagName !== "BUTTON") reveal("");
    else if (/^[1-9]$/.test(key) && data.classes[Number(key) - 1] !== undefined) reveal(data.classes[Number(key) - 1]);
  });
  window.addEventListener("beforeunload", (event) => { if (!saved) event.preventDefault(); });
  show();
})();
