// A form with data-busy="Redirecting…" is sent once: the button says so and a
// second press does nothing. Coming back by the Back button makes it usable again.

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-busy]");
  if (!form || event.defaultPrevented) return;
  if (form.hasAttribute("aria-busy")) {
    event.preventDefault();
    return;
  }

  const button = event.submitter ?? form.querySelector("[type=submit]");
  form.setAttribute("aria-busy", "true");
  button.dataset.label = button.innerHTML;
  button.textContent = form.dataset.busy;
  button.setAttribute("aria-disabled", "true");
});

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-busy][aria-busy]")) {
    const button = form.querySelector("[data-label]");
    form.removeAttribute("aria-busy");
    button.innerHTML = button.dataset.label;
    button.removeAttribute("aria-disabled");
  }
});
