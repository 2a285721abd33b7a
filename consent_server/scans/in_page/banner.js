// Finds the banner of a document, or one of its buttons, also in open shadow roots, as a visitor would see them.
(({ tools, words, want, tool: only }) => {
  const BUTTONS = "button, a, [role=button], input[type=button], input[type=submit], summary";
  const roots = () => {
    const found = [document];
    for (let at = 0; at < found.length && found.length < 500; at += 1)
      for (const element of found[at].querySelectorAll("*")) if (element.shadowRoot) found.push(element.shadowRoot);
    return found;
  };
  const everywhere = roots();
  const all = (selector, within) => {
    if (!selector) return [];
    try {
      if (within) {
        const inside = [within, ...(within.shadowRoot ? [within.shadowRoot] : [])];
        return inside.flatMap((root) => [...root.querySelectorAll(selector)]);
      }
      return everywhere.flatMap((root) => [...root.querySelectorAll(selector)]);
    } catch {
      return [];
    }
  };
  const visible = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return width > 1 && height > 1 && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };
  const first = (selector, within) => all(selector, within).find(visible);
  const plain = (text) => String(text ?? "").normalize("NFKC").toLowerCase().replace(/[\s'’"“”«».,!:;→›»✓✕×]+/g, " ").trim();
  const label = (element) =>
    plain(element.innerText || element.textContent || element.value || element.getAttribute("aria-label") || element.title);
  const matches = (element, list) => list.includes(label(element));
  const parent = (element) => element.parentElement ?? element.getRootNode().host ?? null;
  const holds = (container, element) => {
    for (let at = element; at; at = parent(at)) if (at === container) return true;
    return false;
  };
  const buttons = everywhere.flatMap((root) => [...root.querySelectorAll(BUTTONS)]).filter(visible);

  // The nearest thing round a button that talks of cookies and lies over the page, or is a dialog.
  const around = (button) => {
    for (let at = parent(button); at && at !== document.body; at = parent(at)) {
      const over = ["fixed", "sticky", "absolute"].includes(getComputedStyle(at).position);
      const dialog = at.matches("dialog, [role=dialog], [role=alertdialog], [aria-modal=true]");
      if ((over || dialog) && words.about.some((word) => plain(at.textContent).includes(word))) return at;
    }
    // A frame is a banner by itself: its page has nothing else.
    return window !== top && words.about.some((word) => plain(document.body.innerText).includes(word)) ? document.body : null;
  };
  const byWords = (list) => buttons.filter((button) => matches(button, list)).map((button) => [button, around(button)]);

  const known = () => {
    for (const tool of tools) {
      if (only && tool.name !== only) continue;
      const container = first(tool.banner) ?? (tool.accept && first(tool.accept));
      if (container) return { tool, container };
    }
    return null;
  };
  const generic = () => {
    if (only && only !== "generic") return null;
    const [, container] = [...byWords(words.accept), ...byWords(words.refuse)].find(([, found]) => found) ?? [];
    return container ? { tool: { name: "generic" }, container } : null;
  };
  const inside = (found, kind) => {
    const { tool, container } = found;
    if (tool[kind]) return first(tool[kind]);
    if (tool.strict) return undefined;
    return buttons.find((button) => holds(container, button) && matches(button, words[kind] ?? []));
  };
  const colour = (element) => {
    const parts = getComputedStyle(element).backgroundColor.match(/[\d.]+/g) ?? [];
    return parts.length === 4 && Number(parts[3]) < 0.1 ? "" : parts.join();
  };
  const described = (element, container) => {
    if (!element) return null;
    const { width, height } = element.getBoundingClientRect();
    const own = colour(element);
    return {
      text: (element.innerText || element.value || element.getAttribute("aria-label") || "").trim().slice(0, 80),
      width: Math.round(width),
      height: Math.round(height),
      font_size: parseFloat(getComputedStyle(element).fontSize),
      filled: own !== "" && own !== colour(container),
    };
  };
  const place = (element) => {
    element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const { left, top, width, height } = element.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    let hit = document.elementFromPoint(x, y);
    while (hit?.shadowRoot?.elementFromPoint(x, y) && hit.shadowRoot.elementFromPoint(x, y) !== hit)
      hit = hit.shadowRoot.elementFromPoint(x, y);
    return { x, y, hit: !!hit && (holds(element, hit) || holds(hit, element)) };
  };

  if (want === "banner") {
    const found = known() ?? generic();
    if (!found) return null;
    const { tool, container } = found;
    return {
      tool: tool.name,
      text: (container.innerText || container.textContent || "").trim().slice(0, 400),
      accept: described(inside(found, "accept"), container),
      refuse: described(inside(found, "refuse"), container),
      more: described(inside(found, "more"), container),
    };
  }
  // One button. On later layers it may be anywhere, but only where the words are a banner's own.
  const tool = tools.find(({ name }) => name === only) ?? { name: "generic" };
  const found = known() ?? generic();
  const anywhere = (list) => buttons.find((button) => matches(button, list));
  const element = (found && inside(found, want)) ?? (tool[want] ? first(tool[want]) : undefined) ??
    (tool.strict ? undefined : (byWords(words[want] ?? []).find(([, over]) => over)?.[0] ?? (want === "reopen" ? anywhere(words.reopen) : undefined)));
  if (!element) return null;
  const at = place(element);
  return { ...described(element, found?.container ?? document.body), ...at, clicked: (!at.hit || window !== top) && (element.click(), true) };
});
