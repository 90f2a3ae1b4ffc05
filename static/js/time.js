/* <time data-relative>: kept fresh, with the exact local time on hover. The words match app/core/formats.py. */
(() => {
  const NBSP = "\u00a0";
  const exact = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
  const day = (moment) => moment.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...(moment.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" }) });

  const span = (seconds) => {
    if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))}${NBSP}min`;
    if (seconds < 86_400) return `${Math.floor(seconds / 3600)}${NBSP}h`;
    const days = Math.floor(seconds / 86_400);
    return `${days}${NBSP}${days === 1 ? "day" : "days"}`;
  };

  const relative = (moment) => {
    const gap = (Date.now() - moment) / 1000;
    if (Math.abs(gap) >= 7 * 86_400) return day(moment);
    if (gap < 0) return gap > -45 ? "in a moment" : `in ${span(-gap)}`;
    if (gap < 45) return "just now";
    return gap >= 86_400 && gap < 172_800 ? "yesterday" : `${span(gap)} ago`;
  };

  const write = (element) => {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) return;
    const words = relative(moment);
    if (element.textContent !== words) element.textContent = words;
    element.title = exact.format(moment);
  };

  window.parley.each("time[data-relative]", write);
  setInterval(() => document.querySelectorAll("time[data-relative]").forEach(write), 30_000);
})();
