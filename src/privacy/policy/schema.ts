/** placeholder, replaced in the next commit */
export interface Policy {
  readonly name: string;
  readonly description: string;
  readonly digest: string;
  readonly vocabulary: { readonly file: string; readonly digest: string };
  readonly consent: { readonly guardSeconds: number };
  readonly session: { readonly maxMinutes: number; readonly latenessMinutes: number };
  readonly contexts: {
    readonly unknown: 'keep' | 'drop';
    readonly private: 'exclude';
    readonly excludeApps: readonly string[];
    readonly excludeHosts: readonly string[];
    readonly excludeTitles: readonly string[];
  };
  readonly keystrokes: {
    readonly namedKeys: readonly string[];
    readonly releasingKeys: readonly string[];
    readonly editingKeys: readonly string[];
    readonly shortcuts: readonly string[];
    readonly modifierHoldSeconds: number;
  };
  readonly gestures: {
    readonly clickMs: number;
    readonly clickPx: number;
    readonly dragPx: number;
    readonly longPressMs: number;
    readonly doubleClickMs: number;
    readonly doubleClickPx: number;
    readonly scrollGapMs: number;
  };
  readonly text: { readonly mode: 'vocabulary' };
  readonly columns: {
    readonly subject: 'none' | 'pseudonym';
    readonly app: 'vocabulary' | 'none';
    readonly window: 'vocabulary' | 'none';
    readonly url: 'vocabulary' | 'none';
    readonly target: 'vocabulary' | 'none';
    readonly target_role: 'known' | 'none';
    readonly key: 'listed' | 'none';
    readonly button: 'keep' | 'none';
    readonly direction: 'keep' | 'none';
    readonly cell: '3x3' | 'none';
    readonly pause: 'coarse' | 'none';
    readonly length: 'bucket' | 'none';
    readonly count: 'bucket' | 'none';
  };
}
