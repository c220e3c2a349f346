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

showTotals();
