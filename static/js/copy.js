// Copies the text of the element that data-copy names. Where the clipboard is
// refused (plain http, permissions) the text is selected, ready for the keyboard.

const CONFIRMATION_MS = 2000;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;

  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    say(button, button.dataset.copied);
  } catch {
    window.getSelection().selectAllChildren(source);
    say(button, button.dataset.selected);
  }
});

function say(button, text) {
  const status = button.parentElement.querySelector("[role=status]");
  button.classList.add("is-copied");
  status.textContent = text;
  setTimeout(() => {
    button.classList.remove("is-copied");
    status.textContent = "";
  }, CONFIRMATION_MS);
}
