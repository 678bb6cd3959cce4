import { packagePath } from '../package-path.ts';
import { pagesIn, type Page } from '../producers/gateway/pages.ts';

/** The pages of a client as `npm run build` has built it, below `at`; none where it is not built. */
export async function builtPages(client: string, at: string): Promise<readonly Page[]> {
  try {
    return await pagesIn(packagePath(`dist/clients/${client}`), at);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
