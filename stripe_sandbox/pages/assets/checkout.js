"use strict";

// Improves the page only: without this script every form on it still works.
const form = document.querySelector("form.columns");
const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });

function showTotals() {
  let total = 0;
  for (const line of form.querySelectorAll("[data-unit-amount]")) {
    const quantity = line.querySelector(".quantity");
    if (!quantity) {
      total += amountShown(line);
      continue;
    }
    const amount = Number(line.dataset.unitAmount) * held(quantity);
    line.querySelector("[data-line-total]").textContent = dollars.format(amount / 100);
    total += amount;
  }
  for (const place of form.querySelectorAll("[data-total]")) {
    place.textContent = dollars.format(total / 100);
  }
}

function amountShown(line) {
  const shown = line.querySelector("[data-line-total]").textContent;
  return Number(shown.replace(/\D/g, ""));
}

function held(quantity) {
  const typed = Number.parseInt(quantity.value, 10) || 0;
  return Math.min(Math.max(typed, Number(quantity.min)), Number(quantity.max));
}

for (const stepper of form.querySelectorAll(".stepper")) {
  const quantity = stepper.querySelector(".quantity");
  // Gone, not hidden: as the first submit button it is what the Enter key presses.
  stepper.querySelector(".update").remove();
  for (const button of stepper.querySelectorAll("[data-step]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      quantity.value = Number(quantity.value) + Number(button.dataset.step);
      quantity.value = held(quantity);
      showTotals();
    });
  }
  quantity.addEventListener("input", showTotals);
  quantity.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  quantity.addEventListener("change", () => {
    quantity.value = held(quantity);
    showTotals();
  });
}

function spaced(digits) {
  return digits.replace(/(.{4})(?=.)/g, "$1 ");
}

form.card_number.addEventListener("input", () => {
  form.card_number.value = spaced(form.card_number.value.replace(/\D/g, "").slice(0, 19));
});
form.expiry.addEventListener("input", (event) => {
  if (event.inputType === "deleteContentBackward") return;
  const digits = form.expiry.value.replace(/\D/g, "").slice(0, 4);
  form.expiry.value = digits.length < 2 ? digits : `${digits.slice(0, 2)} / ${digits.slice(2)}`;
});

for (const button of form.querySelectorAll("[data-card]")) {
  button.addEventListener("click", () => {
    form.card_number.value = button.dataset.card;
    form.expiry.value = "12 / 34";
    form.cvc.value = "123";
    form.elements.namedItem("name").value ||= "Test Buyer";
    form.email.value ||= "buyer@example.com";
    form.querySelector("button.pay").focus();
  });
}

form.addEventListener("submit", (event) => {
  const pay = form.querySelector("button.pay");
  if (event.submitter && event.submitter !== pay) return;
  if (pay.dataset.sent) {
    event.preventDefault();
    return;
  }
  pay.dataset.sent = "yes";
  pay.querySelector(".idle").hidden = true;
  pay.querySelector(".busy").hidden = false;
});

// The back button brings the page back as it was left: ready to be sent again.
window.addEventListener("pageshow", () => {
  const pay = form.querySelector("button.pay");
  delete pay.dataset.sent;
  pay.querySelector(".idle").hidden = false;
  pay.querySelector(".busy").hidden = true;
});
showTotals();
