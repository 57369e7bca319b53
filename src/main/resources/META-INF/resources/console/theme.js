// Before the first paint, so that a dark page never flashes white. Without a choice the system's colours are taken.
(() => {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    const chosen = localStorage.getItem('flagtally.theme');
    const known = chosen === 'light' || chosen === 'dark';
    document.documentElement.dataset.theme = known ? chosen : system.matches ? 'dark' : 'light';
    dispatchEvent(new Event('flagtally-theme'));
  };
  system.addEventListener('change', apply);
  apply();
})();
