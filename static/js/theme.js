// The theme switch without a page load. The form works by itself: the server
// stores the choice in a cookie and writes data-bs-theme. Colors are light-dark()
// pairs, so the attribute is all that has to change.

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-theme-switch]");
  const choice = event.submitter?.value;
  if (!form || !choice) return;

  event.preventDefault();
  const body = new FormData(form, event.submitter);
  try {
    await fetch(form.action, { method: "POST", body, redirect: "manual" });
  } catch {
    return; // Offline: a choice that is not stored would not survive the next page.
  }
  show(choice);
});

function show(choice) {
  document.documentElement.dataset.bsTheme = choice;
  for (const button of document.querySelectorAll("[data-theme-switch] button")) {
    button.setAttribute("aria-pressed", String(button.value === choice));
  }
  document.dispatchEvent(new CustomEvent("purser:theme", { detail: choice }));
}
