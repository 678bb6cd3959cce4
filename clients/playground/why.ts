/** The one tooltip: why something is lost, for what the pointer is over or what has the focus. */

const GAP = 8;

export interface Why {
  /** Makes an element tell why: on hover, on focus, and by a tap. */
  readonly on: (element: HTMLElement, reason: string) => void;
  /** The elements that told are going to be replaced. */
  readonly hide: () => void;
}

export function createWhy(tip: HTMLElement): Why {
  let shownFor: HTMLElement | null = null;

  function show(element: HTMLElement, reason: string): void {
    hide();
    shownFor = element;
    tip.textContent = reason;
    tip.hidden = false;
    element.setAttribute('aria-describedby', tip.id);
    place();
  }
  function place(): void {
    if (shownFor === null) return;
    const at = shownFor.getBoundingClientRect();
    const { width, height } = tip.getBoundingClientRect();
    const right = document.documentElement.clientWidth - width - GAP;
    const below = at.bottom + GAP;
    const top = below + height > window.innerHeight && at.top - height - GAP > 0 ? at.top - height - GAP : below;
    tip.style.setProperty('left', `${Math.max(GAP, Math.min(at.left, right))}px`);
    tip.style.setProperty('top', `${top}px`);
  }
  function hide(): void {
    shownFor?.removeAttribute('aria-describedby');
    shownFor = null;
    tip.hidden = true;
    tip.textContent = '';
  }
  const hideFor = (element: HTMLElement): void => {
    if (shownFor === element) hide();
  };

  document.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') hide();
  });
  // What gets the focus is scrolled into view after that.
  window.addEventListener('scroll', place, { passive: true });
  return {
    hide,
    on(element, reason) {
      for (const type of ['mouseenter', 'focus', 'click']) element.addEventListener(type, () => show(element, reason));
      for (const type of ['mouseleave', 'blur']) element.addEventListener(type, () => hideFor(element));
    },
  };
}
