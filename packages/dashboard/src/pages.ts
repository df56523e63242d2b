/**
 * All pages, one line each. To add one:
 *
 * 1. `pages/<name>/<name>.tsx` exports its component as `default`. It takes `PageProps`, begins with `<PageHead>`, and is made
 *    of the parts in `components/`. What it shows it asks by `useAnswer(signal => api.group.name(request, { signal }), inputs,
 *    { topics })`: then it is live.
 * 2. A line here. `path` is below `/dashboard`; one that ends in `/*` has all below it and finds the rest in `rest`, decoded.
 *    With `icon` it is in the navigation, in this order; `level` is the least that its calls need.
 */
import { levels } from '@arriero/api'
import type { ComponentType } from 'preact'
import { type Match, matchPath } from './routing/match.ts'

export interface PageProps {
  /** What the `*` of the path stands for. */
  readonly rest: string
}

export interface Page {
  readonly path: string
  /** In the navigation and on the browser’s tab. */
  readonly title: string
  /** Lines of an icon of 24 by 24. Without one, the page is reached from others. */
  readonly icon?: string
  /** Default READONLY. */
  readonly level?: keyof typeof levels
  readonly load: () => Promise<{ readonly default: ComponentType<PageProps> }>
}

// biome-ignore format: one line each.
export const pages: readonly Page[] = [
  { path: '/', title: 'Overview', icon: 'M4 20V10M10 20V4M16 20v-8M22 20H2', load: () => import('./pages/overview/overview.tsx') },
  { path: '/files', title: 'Files', icon: 'M6 3h8l4 4v14H6zM14 3v4h4', load: () => import('./pages/files/files.tsx') },
  { path: '/files/*', title: 'File', load: () => import('./pages/file/file.tsx') },
  { path: '/upload', title: 'Upload', icon: 'M12 16V4M7 9l5-5 5 5M4 20h16', level: 'READAPPEND', load: () => import('./pages/upload/upload.tsx') },
]

/** Undefined: there is none. */
export function findPage(path: string): (Match & { readonly page: Page }) | undefined {
  for (const page of pages) {
    const match = matchPath(page.path, path)
    if (match) return { page, ...match }
  }
  return undefined
}

/** Whether somebody of this level, by its number, may open it. */
export function mayOpen(page: Page, level: number): boolean {
  return level >= levels[page.level ?? 'READONLY']
}
