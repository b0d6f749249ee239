"use strict";
document.getElementById("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const password = document.getElementById("password").value;
  const answer = await fetch("/login", { method: "POST", body: JSON.stringify({ password }) });
  if (answer.ok) location.replace("/");
  else document.getElementById("said").textContent = await answer.text();
});
