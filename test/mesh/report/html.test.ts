import { html } from "../../../mesh/report/html";

it("takes what it is given as text, in content and in attributes", () => {
  const evil = `"'><script>alert(1)</script>&amp;`;
  expect(html`<p title="${evil}">${evil}</p>`.text).toBe(
    `<p title="&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;">&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;</p>`,
  );
});

it("takes what it has made itself as it is, one or many", () => {
  const letters = ["<", "b"].map((letter) => html`<i>${letter}</i>`);
  expect(html`<b>${letters}${html`<u>c</u>`}</b>`.text).toBe("<b><i>&lt;</i><i>b</i><u>c</u></b>");
});

it.each([
  ["turns the direction of writing", "rm \u202Etxt.exe", "rm \\u{202e}txt.exe"],
  ["is not seen", "clus\u200Bter\u00AD1", "clus\\u{200b}ter\\u{ad}1"],
  ["controls a terminal", "\u001B[2J\u0000", "\\u{1b}[2J\\u{0}"],
  ["ends a line for some", "one\u2028two", "one\\u{2028}two"],
  ["is half a character", "\uD800", "\\u{d800}"],
])("shows what %s by its number", (_, text, shown) => {
  expect(html`${text}`.text).toBe(shown);
});

it("keeps lines, indentation and the letters of all languages", () => {
  const text = "eins\n\tzwei: größer, 中文, 👍";
  expect(html`${text}`.text).toBe(text);
});
