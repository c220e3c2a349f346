// The search of the staff console: "/" or Ctrl+K (Cmd+K) goes to it from anywhere on
// the page, but for "/" in a field, where it is a character.

document.addEventListener("keydown", (event) => {
  const isShortcut = event.key === "k" && (event.ctrlKey || event.metaKey);
  if (!isShortcut && (event.key !== "/" || isTyping(event.target))) return;

  const field = document.querySelector("[data-find]");
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});

function isTyping(element) {
  return element.isContentEditable || element.matches("input, select, textarea");
}
