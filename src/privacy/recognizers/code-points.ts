/**
 * Spans of `text` counted in code points instead of UTF-16 code units, for those who count as Python does. Takes time linear in the
 * text's length; the spans must be sorted by start, as `recognize` returns them, and may not overlap.
 */
export function toCodePoints<S extends { readonly start: number; readonly end: number }>(
  text: string,
  spans: readonly S[],
): S[] {
  let unit = 0;
  let point = 0;
  const pointAt = (target: number): number => {
    for (; unit < target && unit < text.length; point += 1) unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
    return point;
  };
  return spans.map((span) => ({ ...span, start: pointAt(span.start), end: pointAt(span.end) }));
}
