"use strict";

// Improves the page only: without this script every form on it still works.
const cardForm = document.querySelector("form.pays-by-card");

function spaced(digits) {
  return digits.replace(/(.{4})(?=.)/g, "$1 ");
}

cardForm.card_number.addEventListener("input", () => {
  cardForm.card_number.value = spaced(cardForm.card_number.value.replace(/\D/g, "").slice(0, 19));
});
cardForm.expiry.addEventListener("input", (event) => {
  if (event.inputType === "deleteContentBackward") return;
  const digits = cardForm.expiry.value.replace(/\D/g, "").slice(0, 4);
  cardForm.expiry.value = digits.length < 2 ? digits : `${digits.slice(0, 2)} / ${digits.slice(2)}`;
});

for (const button of cardForm.querySelectorAll("[data-card]")) {
  button.addEventListener("click", () => {
    cardForm.card_number.value = button.dataset.card;
    cardForm.expiry.value = "12 / 34";
    cardForm.cvc.value = "123";
    cardForm.elements.namedItem("name").value ||= "Test Buyer";
    if (cardForm.email) cardForm.email.value ||= "buyer@example.com";
    cardForm.querySelector("button.pay").focus();
  });
}

cardForm.addEventListener("submit", (event) => {
  const pay = cardForm.querySelector("button.pay");
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
  const pay = cardForm.querySelector("button.pay");
  delete pay.dataset.sent;
  pay.querySelector(".idle").hidden = false;
  pay.querySelector(".busy").hidden = true;
});
