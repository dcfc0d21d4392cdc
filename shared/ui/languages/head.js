// First in a page's head: its language, for Gradio's own words and for our scripts, and the menu that changes it.
(() => {
  const { code, locale, cookie, texts } = TOLD;
  window.said = (text, ...values) => (texts[text] || text).replace(/\{(\d+)\}/g, (_, n) => values[n]);
  for (const [name, value] of [["language", locale], ["languages", [locale]]])
    Object.defineProperty(navigator, name, { get: () => value, configurable: true });
  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.(".pg-language")) return;
    document.cookie = `${cookie}=${target.value}; path=/; max-age=31536000; samesite=lax`;
    location.reload();
  });
})();
