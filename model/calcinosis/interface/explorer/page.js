// The browser's part of the explorer. It knows nothing of medicine: it sends what was done, and shows what comes back.
//
// An element with `data-do` is something that can be done; its other `data-` attributes and its value go along. An
// element with `data-region` is replaced by the HTML that the program sends, in place, so that focus and what is unfolded
// stay as they are. The link of the page stands behind the '#', which no browser sends to a server.

const SLOW = 100; // milliseconds after which the answer is called old
const SILENT = 8000; // milliseconds after which the program is called silent
const LONGEST = 8001; // characters of a link that are sent: one more than the program reads
const MOST = 401; // characters of a value that are sent, likewise
const SEARCHED = ".name, .description, .choice:not(.not, .un), .adding button"; // the words of a finding
const TYPED = "input:not([type=radio], [type=checkbox], [type=range]), textarea"; // where Ctrl+Z is the browser's own

export function render({ model }) {
  const root = document.createElement("div");
  root.className = "explorer";
  const style = document.createElement("style");
  style.textContent = model.css;
  const body = document.createElement("div");
  body.innerHTML = model.html;
  root.append(style, body);
  const alone = !model.embedded; // the page is the browser's own, not a cell of a notebook
  if (!alone) root.classList.add("embedded");
  new Explorer(root, model, alone);
  return root;
}

class Explorer {
  constructor(root, model, alone) {
    Object.assign(this, { root, model, alone, previews: {}, sent: 0, waiting: [], held: {}, lost: false });
    this.visit = memory("visit") ?? this.newVisit();
    this.theme(stored("theme") || (alone ? "" : hostTheme()));
    model.on("msg:custom", (message) => this.receive(JSON.parse(message.data ?? message)));
    root.addEventListener("click", (event) => this.click(event));
    root.addEventListener("change", (event) => this.change(event));
    root.addEventListener("input", (event) => this.input(event));
    root.addEventListener("submit", (event) => this.submit(event));
    (alone ? document : root).addEventListener("keydown", (event) => this.key(event, event.composedPath()[0]));
    root.addEventListener("pointerover", (event) => event.pointerType === "touch" || this.look(event.target));
    root.addEventListener("focusin", (event) => this.look(event.target));
    root.addEventListener("pointerleave", () => this.look(null));
    root.addEventListener("focusout", (event) => event.relatedTarget || this.look(null));
    if (alone) this.open();
    else this.send({ do: "hello" });
    if (alone) model.document?.on_event?.("connection_lost", () => this.disconnected());
  }

  // --- the link

  open() {
    addEventListener("popstate", () => this.navigated());
    if (location.hash.length > 1) this.link();
    else {
      history.replaceState({ visit: this.visit }, "");
      this.send({ do: "hello" });
    }
    const unsent = JSON.parse(memory("unsent") ?? "[]");
    remember("unsent", null);
    for (const message of unsent) this.send(message);
  }

  link() {
    this.send({ do: "link", fragment: location.hash.slice(1, LONGEST + 1) });
  }

  navigated() {
    const state = history.state;
    if (state && state.visit !== this.visit) {
      history.replaceState({ visit: this.visit }, "", this.address);
      this.notice("That step belongs to an earlier patient, who was cleared.");
    } else this.link();
  }

  get address() {
    return location.pathname + location.search + (this.fragment ? "#" + this.fragment : "");
  }

  newVisit() {
    const visit = crypto.getRandomValues(new Uint32Array(2)).join("");
    remember("visit", visit);
    return visit;
  }

  // --- to and from the program

  send(message) {
    if (this.lost) {
      this.keep(message);
      return;
    }
    const seq = ++this.sent;
    this.waiting.push({ ...message, seq });
    clearTimeout(this.slow);
    clearTimeout(this.silent);
    this.slow = setTimeout(() => this.root.classList.add("updating"), SLOW);
    this.silent = setTimeout(() => this.say("No answer for a while: the program is busy, or gone. What you entered is kept."), SILENT);
    this.model.send_msg({ ...message, seq });
  }

  receive(reply) {
    if (this.lost) return; // too late: what it answers is kept, to be sent again
    if (!reply.regions) {
      this.move(reply);
      return;
    }
    this.waiting = this.waiting.filter((message) => message.seq > reply.seq);
    this.held = { ...this.held, ...reply.regions };
    const last = reply.seq >= this.sent;
    if (reply.cleared) this.clear();
    if (reply.download) save(reply.download);
    if (reply.copy) this.copy(reply.copy, reply.copied);
    this.fragment = reply.fragment;
    if (this.alone) this.record(reply);
    if (!last) return; // a later answer is under way: showing this one would take a newer click back for a moment
    clearTimeout(this.slow);
    clearTimeout(this.silent);
    this.say("");
    this.previews = reply.previews;
    this.show(this.held);
    this.held = {};
    this.look(this.looked ?? null, true);
    this.root.classList.remove("updating");
    this.root.dataset.seq = this.root.dataset.bars = reply.seq;
  }

  // the bars alone, which come first; all else follows
  move({ seq, bars }) {
    const shown = this.root.querySelectorAll(".bars .bar");
    if (seq !== this.sent || bars?.length !== shown.length) return;
    bars.forEach(([width, percent, rank], place) => {
      const bar = shown[place];
      bar.classList.toggle("leading", rank === 1);
      bar.querySelector(".fill").style.width = `${width}%`;
      bar.querySelector(".percent").textContent = percent;
      bar.querySelector(".rank").textContent = rank;
    });
    this.root.dataset.bars = seq;
  }

  clear() {
    this.visit = this.newVisit();
    this.root.querySelector("[data-search]").value = "";
    for (const details of this.root.querySelectorAll("details")) details.open = false;
    for (const help of this.root.querySelectorAll("[data-unfold][aria-expanded=true]")) help.click();
  }

  record(reply) {
    const state = { visit: this.visit };
    const same = location.hash.slice(1) === reply.fragment;
    if (reply.push && !same && !reply.cleared) history.pushState(state, "", this.address);
    else history.replaceState(state, "", this.address);
  }

  show(regions) {
    const active = this.root.getRootNode().activeElement;
    const mine = this.root.contains(active);
    const home = active?.closest?.("[data-finding], [data-region]");
    const homeKey = home && (home.id ? "#" + home.id : `[data-region="${home.dataset.region}"]`);
    for (const [name, html] of Object.entries(regions)) {
      const region = this.root.querySelector(`[data-region="${CSS.escape(name)}"]`);
      if (!region) continue;
      const next = region.cloneNode(false);
      next.innerHTML = html;
      morph(region, next);
    }
    if (mine && !active.isConnected && homeKey) focusable(this.root.querySelector(homeKey))?.focus();
    this.search();
  }

  // --- what the user does

  click(event) {
    const target = event.target.closest("[data-do], [data-close], [data-unfold], [data-turn], [data-copy], [data-jump]");
    if (!target || target.disabled) return;
    if (target.matches("[data-close]")) target.closest("[data-region], .notice").replaceChildren();
    else if (target.matches("[data-turn]")) this.theme(this.dark() ? "light" : "dark");
    else if (target.matches("[data-jump]")) {
      const part = this.root.querySelector("." + target.dataset.jump);
      part.focus({ preventScroll: true });
      part.scrollIntoView();
    } else if (target.matches("[data-copy]")) this.copy(location.href, "The link is copied. It holds what was entered.");
    else if (target.matches("[data-unfold]")) {
      const what = this.root.querySelector("#" + CSS.escape(target.dataset.unfold));
      what.hidden = !what.hidden;
      target.setAttribute("aria-expanded", String(!what.hidden));
    } else if (target.matches("button, a, summary, [role=button]")) this.send(action(target));
  }

  change(event) {
    const target = event.target;
    if (!target.matches?.("input[data-do], select[data-do]")) return;
    target.told = target.value;
    this.send(action(target, this.root));
  }

  input(event) {
    if (event.target.matches("[data-search]")) this.search();
    const shown = event.target.matches("input[type=range]") && event.target.parentElement.querySelector("output");
    if (shown) shown.textContent = event.target.value + (event.target.dataset.after ?? " %");
  }

  submit(event) {
    event.preventDefault();
    const form = event.target;
    const values = Object.fromEntries([...form.elements].filter((e) => e.name).map((e) => [e.name, e.value.slice(0, MOST)]));
    this.send({ do: form.dataset.form, ...form.dataset, ...values });
  }

  key(event, target) {
    if (!target.matches) return;
    if (target.matches("[role=tab]") && ["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) {
      const tabs = [...target.parentElement.querySelectorAll("[role=tab]")];
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const place = step ? (tabs.indexOf(target) + step + tabs.length) % tabs.length : event.key === "Home" ? 0 : -1;
      event.preventDefault();
      tabs.at(place).focus();
      tabs.at(place).click();
    } else if (target.matches("[data-search]") && event.key === "Enter") {
      event.preventDefault();
      const first = [...this.root.querySelectorAll("[data-finding]")].find((f) => !f.closest("[hidden]"));
      focusable(first)?.focus();
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey) && !target.matches(TYPED)) {
      event.preventDefault();
      this.send({ do: event.shiftKey ? "redo" : "undo" });
    } else if (event.key === "Escape") this.look(null);
  }

  search() {
    const field = this.root.querySelector("[data-search]");
    const words = (field?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    let any = false;
    for (const group of this.root.querySelectorAll("[data-group]")) {
      let found = false;
      for (const finding of group.querySelectorAll("[data-finding]")) {
        const parts = [...finding.querySelectorAll(SEARCHED)].map((own) => `${own.textContent} ${own.title}`);
        const text = [...parts, finding.dataset.finding, group.dataset.group].join(" ").toLowerCase();
        const match = words.every((word) => text.includes(word));
        finding.parentElement.hidden = !match;
        found ||= match;
      }
      group.hidden = !found;
      any ||= found;
    }
    const nothing = this.root.querySelector("#nothing-found");
    if (nothing) nothing.hidden = any;
  }

  // --- the preview: what each answer to a finding would do

  look(target, again = false) {
    const finding = target?.closest?.("[data-preview], [data-finding]");
    const name = finding?.dataset.preview ?? finding?.dataset.finding;
    const all = this.previews[name] ?? [];
    const choice = target?.closest?.("label.choice, button[data-do=set], button[data-do=add], input[type=radio]");
    const value = choice && (choice.querySelector?.("input")?.value ?? choice.dataset.value ?? choice.value);
    const one = all.find((preview) => preview.value === value);
    const key = `${name}|${one?.value}`;
    const preview = this.root.querySelector("#preview");
    this.looked = target;
    if (again || key !== this.key_) {
      this.key_ = key;
      this.ghosts(one);
      const label = finding?.querySelector(".name")?.textContent ?? finding?.dataset.label ?? "";
      const open = all.length > 0 && all.every((own) => own.open);
      preview.replaceChildren(...(open ? [this.table(label, all, one)] : []));
    }
    if (preview.firstChild) this.place(preview, [finding, target]);
  }

  // Below the bars; or at the foot of the window, where it would lie on what it is about; or nowhere, if it would there.
  place(preview, parts) {
    const { top } = preview.parentElement.getBoundingClientRect();
    for (const part of parts)
      for (const place of ["", `${innerHeight - top - preview.offsetHeight}px`]) {
        preview.style.top = place;
        if (!covers(preview, part)) return;
      }
    preview.replaceChildren();
  }

  ghosts(one) {
    this.root.querySelectorAll(".bars .bar").forEach((bar, place) => {
      const ghost = bar.querySelector(".ghost");
      const then = bar.querySelector(".then");
      ghost.hidden = then.hidden = !one;
      if (!one) return;
      ghost.style.left = `${one.bars[place][0]}%`;
      then.textContent = `→ ${one.bars[place][1]}`;
    });
  }

  table(label, all, one) {
    const labels = [...this.root.querySelectorAll(".bars .bar .label")].map((own) => own.firstChild.textContent);
    const head = make("tr", {}, make("td"), ...all.map((p) => make("th", { scope: "col" }, p.label, make("small", {}, ` ${p.chance} likely`))));
    const rows = labels.map((state, place) =>
      make("tr", {}, make("th", { scope: "row" }, state), ...all.map((preview) => {
        const [width, words] = preview.bars[place];
        const fill = make("i");
        fill.style.width = `${width}%`;
        return make("td", preview === one ? { class: "one" } : {}, make("span", { class: "mini" }, fill), words);
      })));
    return make("table", {}, make("caption", {}, `What if: ${label}`), make("thead", {}, head), make("tbody", {}, ...rows));
  }

  // --- the connection

  disconnected() {
    if (this.lost) return;
    this.lost = true;
    this.waiting.forEach((message) => this.keep(message));
    this.root.classList.add("updating");
    this.say("The connection to the program on this machine is lost. What you entered is kept here; trying to reach it again …");
    this.reach();
  }

  say(words) {
    const banner = this.root.querySelector(".connection");
    banner.hidden = !words;
    banner.textContent = words;
  }

  async reach() {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 700));
      try {
        const answer = await fetch(new URL("static/js/bokeh.min.js", document.baseURI), { method: "HEAD", cache: "no-store" });
        if (answer.ok) break;
      } catch {
        // not yet
      }
    }
    location.reload();
  }

  keep(message) {
    if (["hello", "link", "download"].includes(message.do)) return;
    remember("unsent", JSON.stringify([...JSON.parse(memory("unsent") ?? "[]"), message]));
  }

  // --- small things

  notice(words) {
    const close = make("button", { type: "button", class: "plain", "data-close": "", "aria-label": "Close this notice" }, "×");
    const region = this.root.querySelector('[data-region="notice"]');
    region.replaceChildren(make("p", { class: "notice note", role: "status" }, words, " ", close));
  }

  async copy(text, words) {
    try {
      await navigator.clipboard.writeText(text);
      this.notice(words);
    } catch {
      this.notice("Copy this by hand:");
      const area = make("textarea", { rows: 6, readonly: "", "aria-label": "To copy" });
      area.value = text;
      this.root.querySelector('[data-region="notice"]').append(area);
      area.select();
    }
  }

  dark() {
    return this.root.dataset.theme ? this.root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  theme(name) {
    this.root.dataset.theme = name;
    if (this.alone) document.documentElement.style.colorScheme = name;
    store("theme", name);
  }
}

function action(target, root) {
  const { do: done, ...data } = target.dataset;
  const message = { do: done, ...data };
  if (target.matches("input, select")) message.value = target.value.slice(0, MOST);
  if (target.matches("input[type=checkbox]") && target.name && root)
    message.values = [...root.querySelectorAll(`input[name="${CSS.escape(target.name)}"]:checked`)].map((own) => own.value);
  return message;
}

function save({ name, type, text, base64 }) {
  const content = base64 ? Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0)) : text;
  const url = URL.createObjectURL(new Blob([content], { type }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function covers(one, other) {
  const [a, b] = [one, other].map((own) => own.getBoundingClientRect());
  return a.top < b.bottom && b.top < a.bottom && a.left < b.right && b.left < a.right;
}

function focusable(home) {
  if (!home) return null;
  const all = [...home.querySelectorAll("input, button, select")];
  const usable = all.filter((own) => !own.disabled && !own.matches(".help") && own.checkVisibility?.() !== false);
  return usable.find((own) => own.checked) ?? usable.find((own) => own.matches("input, .adding button")) ?? usable[0] ?? home;
}

// What the tab, or the browser, remembers; nothing, where it is not allowed to.
function memory(name) { try { return sessionStorage.getItem(`calcinosis-${name}`); } catch { return null; } }
function remember(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(`calcinosis-${name}`);
    else sessionStorage.setItem(`calcinosis-${name}`, value);
  } catch { /* the page works without */ }
}
function stored(name) { try { return localStorage.getItem(`calcinosis-${name}`); } catch { return null; } }
function store(name, value) { try { localStorage.setItem(`calcinosis-${name}`, value); } catch { /* likewise */ } }

// The look of the notebook around the page, where that says so; else that of the browser.
function hostTheme() {
  return { true: "light", false: "dark" }[document.body.dataset.jpThemeLight] ?? "";
}

// Make one element like another, keeping the nodes that both have: by id, else by place.
function morph(from, to) {
  const typed = from === from.getRootNode().activeElement && ![from.getAttribute("value"), from.told].includes(from.value);
  for (const { name, value } of [...to.attributes]) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  for (const { name } of [...from.attributes])
    if (!to.hasAttribute(name) && !(name === "open" && from.nodeName === "DETAILS")) from.removeAttribute(name);
  let node = from.firstChild;
  for (const next of [...to.childNodes]) {
    if (next.id) {
      const same = [...from.children].find((own) => own.id === next.id);
      if (same && same !== node) {
        from.insertBefore(same, node);
        node = same;
      }
    }
    if (node && node.nodeName === next.nodeName && (node.id ?? "") === (next.id ?? "")) {
      if (node.nodeType === Node.ELEMENT_NODE) morph(node, next);
      else if (node.data !== next.data) node.data = next.data;
      node = node.nextSibling;
    } else from.insertBefore(next, node);
  }
  while (node) {
    const gone = node;
    node = node.nextSibling;
    gone.remove();
  }
  if (from.nodeName === "INPUT") {
    if (["radio", "checkbox"].includes(from.type)) from.checked = to.hasAttribute("checked");
    else if (!typed) from.value = to.getAttribute("value") ?? ""; // what is being typed is left alone
  } else if (from.nodeName === "SELECT") {
    from.selectedIndex = Math.max(0, [...from.options].findIndex((option) => option.hasAttribute("selected")));
  }
}
