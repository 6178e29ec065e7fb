"use strict";
for (const button of document.querySelectorAll("button.copy")) {
  const source = document.getElementById(button.dataset.source)
    || button.closest("article").querySelector("pre.source");
  const said = button.parentElement.querySelector("[role=status]");
  const label = button.textContent;
  const tell = (word) => {
    button.textContent = word;
    said.textContent = word;
    setTimeout(() => { button.textContent = label; said.textContent = ""; }, 1600);
  };
  const select = () => {
    const box = source.closest("details");
    if (box) box.open = true;
    getSelection().selectAllChildren(source);
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      tell("Copied");
    } catch {
      select();
      tell(document.execCommand("copy") ? "Copied" : "Press Ctrl+C");
    }
  });
}
