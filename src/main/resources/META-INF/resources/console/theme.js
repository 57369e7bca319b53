// Before the first paint, so that a dark page never flashes white. 'system' is the absence of a choice.
(() => {
  const chosen = localStorage.getItem('flagtally.theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
})();
