// Prices and margins follow what is typed. The server computes the same, with the same rounding:
// revenue to whole units of the currency first, all of it half up and without binary fractions.
"use strict";

for (const board of document.querySelectorAll("[data-margins]")) {
  const portuguese = document.documentElement.lang.startsWith("pt");
  const comma = portuguese ? "," : ".";
  const MICROS = 1000000n;
  const field = (id) => document.getElementById(id);
  const cell = (row, name) => row.querySelector(`[data-cell="${name}"]`);

  function whole(text, least, most) {
    text = text.trim();
    if (!/^([0-9]+|[0-9]{1,3}([., \u00a0][0-9]{3})+)$/.test(text)) return null;
    const value = BigInt(text.replace(/[^0-9]/g, ""));
    return value >= least && value <= most ? value : null;
  }

  function micros(text, least, most) {
    const parts = /^([0-9]{1,9})(?:[.,]([0-9]{1,6}))?$/.exec(text.trim());
    if (!parts) return null;
    const value = BigInt(parts[1]) * MICROS + BigInt((parts[2] || "").padEnd(6, "0"));
    return value >= least && value <= most ? value : null;
  }

  function halfUp(value, divisor) {
    const doubled = 2n * value + divisor;
    const quotient = doubled / (2n * divisor);
    return doubled % (2n * divisor) < 0n ? quotient - 1n : quotient;
  }

  function number(value) {
    const digits = (value < 0n ? -value : value).toString();
    const grouped = digits.replace(/\B(?=([0-9]{3})+$)/g, portuguese ? "." : ",");
    return value < 0n ? "\u2212" + grouped : grouped;
  }

  function money(value) {
    const places = (value % MICROS).toString().padStart(6, "0").replace(/0{1,4}$/, "");
    return number(value / MICROS) + comma + places;
  }

  function priced(amount, currency) {
    if (currency === "BRL") return portuguese ? `R$\u00a0${amount}` : `R$${amount}`;
    if (currency === "USD") return portuguese ? `US$\u00a0${amount}` : `$${amount}`;
    return `${amount}\u00a0${currency}`;
  }

  function typed(id, own, read) {
    return field(id) ? read(field(id).value) : own === "" ? null : BigInt(own);
  }

  function rates() {
    const currency = field("currency") ? field("currency").value.trim().toUpperCase() : "";
    return {
      usd: typed("usd", board.dataset.usd, (text) => micros(text, 1n, 1000000000n)),
      fx: typed("fx", board.dataset.fx, (text) => micros(text, 1n, 1000000000000n)),
      cost: typed("cost", board.dataset.unitCost, (text) => micros(text, 0n, 1000000000000n)),
      currency: field("currency") ? currency : board.dataset.currency,
    };
  }

  function say(row, name, words) {
    const place = cell(row, name);
    if (place) place.textContent = words;
  }

  function draw(row, rate) {
    const most = 1000000000n;
    const full = typed("stars", row.dataset.stars, (text) => whole(text, 1n, 100000n));
    const credits = typed("credits", row.dataset.credits, (text) => whole(text, 1n, most));
    const bonus = typed("bonus", row.dataset.bonus, (text) =>
      text.trim() === "" ? 0n : whole(text, 0n, most),
    );
    const loss = cell(row, "loss");
    const known = [full, credits, bonus, rate.usd, rate.fx, rate.cost].every((n) => n !== null);
    if (!known || !/^[A-Z]{3}$/.test(rate.currency)) {
      for (const name of ["stars", "revenue", "cost", "margin", "per-credit"]) say(row, name, "–");
      if (loss) loss.hidden = true;
      return "–";
    }
    const reduced = (full * (100n - BigInt(row.dataset.percent)) + 50n) / 100n;
    const stars = reduced < 1n ? 1n : reduced;
    const total = credits + bonus;
    const revenue = halfUp(stars * rate.usd * rate.fx, 100n * MICROS * MICROS);
    const cost = total * rate.cost;
    const audience = field("audience");
    const isJudged = audience ? audience.value !== "admins" : "judged" in row.dataset;
    const tenths = halfUp(stars * 10n, total);
    const costs = priced(money(cost), rate.currency);
    say(row, "stars", `${number(stars)}\u00a0★`);
    say(row, "revenue", priced(number(revenue), rate.currency));
    say(row, "cost", costs);
    say(row, "per-credit", `${number(tenths / 10n)}${comma}${tenths % 10n}\u00a0★`);
    const hasMargin = isJudged && cost > 0n;
    const margin = hasMargin ? halfUp((revenue * MICROS - cost) * 100n, cost) : 0n;
    say(row, "margin", hasMargin ? number(margin) + "%" : "–");
    if (loss) loss.hidden = !(isJudged && revenue * MICROS < cost);
    return costs;
  }

  function update() {
    const rate = rates();
    const costs = Array.from(board.querySelectorAll("tr[data-percent]"), (row) => draw(row, rate));
    const shared = board.querySelector("p [data-cell=cost]");
    if (shared) shared.textContent = costs[0];
  }

  document.addEventListener("input", update);
  update();
}
