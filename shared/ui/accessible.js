() => {
  // Roles that some of Gradio's own components lack or have wrongly, set wherever these appear; and boxes that scroll by
  // themselves can be reached, and so scrolled, by keyboard.
  const mend = () => {
    document.querySelectorAll('div[aria-label="Empty value"]:not([role])').forEach((each) => each.setAttribute("role", "img"));
    document.querySelectorAll('.examples[role="list"]').forEach((each) => each.setAttribute("role", "group"));
    document.querySelectorAll(".pg-language:not([data-set])").forEach((each) => {
      each.dataset.set = "";
      each.value = document.documentElement.dataset.language || "en";
    });
    // The arrow of a receipt below an answer stands in a button, which does the same and has its name.
    document.querySelectorAll('#chat .title[role="button"] button.icon-button:not([aria-hidden])').forEach((each) => {
      each.setAttribute("aria-hidden", "true");
      each.setAttribute("tabindex", "-1");
    });
    document.querySelectorAll(".pg-scroll:not([tabindex])").forEach((each) => each.setAttribute("tabindex", "0"));
  };
  let due = false;
  const later = () => { due = false; mend(); };
  new MutationObserver(() => { if (!due) { due = true; requestAnimationFrame(later); } })
    .observe(document.body, { childList: true, subtree: true });
  mend();
}
