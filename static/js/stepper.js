// Drives components/_stepper.html: − and + around a number input that also takes
// typing and arrow keys. It stops at min and max and says why. Elements with
// data-follows="<input name>" show count × data-each as credits or as money
// (integer cents). Listeners sit on the document, so swapped-in steppers work.

const language = document.documentElement.lang || "en";
const PAGE_STEP = 10;
const KEY_STEPS = { ArrowUp: 1, ArrowDown: -1, PageUp: PAGE_STEP, PageDown: -PAGE_STEP };

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-stepper] [data-step]");
  if (button) step(button.closest("[data-stepper]"), Number(button.dataset.step));
});

document.addEventListener("keydown", (event) => {
  const change = KEY_STEPS[event.key];
  const stepper = stepperOf(event.target);
  if (!change || !stepper) return;

  event.preventDefault();
  step(stepper, change);
});

document.addEventListener("input", (event) => {
  const stepper = stepperOf(event.target);
  if (stepper) refresh(stepper, limitCrossedBy(stepper, countOf(stepper)));
});

document.addEventListener("change", (event) => {
  const stepper = stepperOf(event.target);
  if (stepper) settle(stepper, countOf(stepper));
});

// Also runs when the page comes back from the history with the old input value.
window.addEventListener("pageshow", refreshAll);
document.addEventListener("htmx:afterSettle", refreshAll);

function stepperOf(target) {
  return target.closest?.("[data-stepper] input")?.closest("[data-stepper]");
}

function inputOf(stepper) {
  return stepper.querySelector("input");
}

function limitsOf(stepper) {
  const { min, max } = inputOf(stepper);
  return { min: Number(min), max: max === "" ? Number.MAX_SAFE_INTEGER : Number(max) };
}

function countOf(stepper) {
  const count = Number.parseInt(inputOf(stepper).value, 10);
  return Number.isNaN(count) ? limitsOf(stepper).min : count;
}

function step(stepper, change) {
  settle(stepper, countOf(stepper) + change);
}

function settle(stepper, wanted) {
  const { min, max } = limitsOf(stepper);
  inputOf(stepper).value = Math.min(Math.max(wanted, min), max);
  refresh(stepper, limitCrossedBy(stepper, wanted));
}

function limitCrossedBy(stepper, count) {
  const { min, max } = limitsOf(stepper);
  if (count < min) return "min";
  return count > max ? "max" : null;
}

function refresh(stepper, crossed = null) {
  const { min, max } = limitsOf(stepper);
  const count = Math.min(Math.max(countOf(stepper), min), max);
  const [fewer, more] = stepper.querySelectorAll("[data-step]");
  // Not `disabled`: the button keeps the focus, and a press explains the limit.
  fewer.setAttribute("aria-disabled", String(count <= min));
  more.setAttribute("aria-disabled", String(count >= max));
  stepper.querySelector("[role=status]").textContent =
    { min: stepper.dataset.reasonMin, max: stepper.dataset.reasonMax }[crossed] ?? "";
  const name = CSS.escape(inputOf(stepper).name);
  for (const follower of document.querySelectorAll(`[data-follows="${name}"]`)) {
    follower.textContent = textOf(follower.dataset, count * Number(follower.dataset.each));
  }
}

function refreshAll() {
  for (const stepper of document.querySelectorAll("[data-stepper]")) refresh(stepper);
}

function textOf({ currency, one, other }, amount) {
  if (currency) return money(amount, currency);
  const pattern = new Intl.PluralRules(language).select(amount) === "one" ? one : other;
  return pattern.replace("{n}", new Intl.NumberFormat(language).format(amount));
}

// The amount goes in as a decimal string: cents never become a float.
function money(cents, currency) {
  const format = new Intl.NumberFormat(language, { style: "currency", currency });
  const digits = String(cents).padStart(3, "0");
  return format.format(`${digits.slice(0, -2)}.${digits.slice(-2)}`);
}
