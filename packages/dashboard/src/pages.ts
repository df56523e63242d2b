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
  { path: '/transfers', title: 'Transfers', icon: 'M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4', load: () => import('./pages/transfers/transfers.tsx') },
  { path: '/transfers/*', title: 'Transfer', load: () => import('./pages/transfers/transfer.tsx') },
  { path: '/upload', title: 'Upload', icon: 'M12 16V4M7 9l5-5 5 5M4 20h16', level: 'READAPPEND', load: () => import('./pages/upload/upload.tsx') },
  { path: '/errors', title: 'Errors', icon: 'M12 3 22 20H2zM12 10v4M12 17v.2', level: 'ADMIN', load: () => import('./pages/errors/errors.tsx') },
  { path: '/stores', title: 'Stores', icon: 'M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0', load: () => import('./pages/stores/stores.tsx') },
  { path: '/sites', title: 'Sites', icon: 'M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18M3 12h18M12 3c-5 5-5 13 0 18M12 3c5 5 5 13 0 18', load: () => import('./pages/sites/sites.tsx') },
  { path: '/tasks', title: 'Tasks', icon: 'M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18M12 7v5l4 2', level: 'ADMIN', load: () => import('./pages/tasks/tasks.tsx') },
  { path: '/sneakernet', title: 'SneakerNet', icon: 'M3 7h11v10H3zM14 11h4l3 3v3h-7M7 19v-2M18 19v-2', level: 'ADMIN', load: () => import('./pages/sneakernet/sneakernet.tsx') },
  { path: '/sneakernet/*', title: 'Disk', level: 'ADMIN', load: () => import('./pages/sneakernet/disk.tsx') },
  { path: '/trash', title: 'Trash', icon: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5', level: 'ADMIN', load: () => import('./pages/trash/trash.tsx') },
  { path: '/destructions', title: 'Destructions', icon: 'M5 5l14 14M19 5 5 19M12 2v3M12 19v3', level: 'ADMIN', load: () => import('./pages/destructions/destructions.tsx') },
  { path: '/users', title: 'Users', icon: 'M12 4a4 4 0 1 0 0 8 4 4 0 1 0 0-8M4 21c0-8 16-8 16 0', level: 'ADMIN', load: () => import('./pages/users/users.tsx') },
  { path: '/audit', title: 'Audit', icon: 'M6 3h12v18H6zM9 8h6M9 12h6M9 16h4', level: 'ADMIN', load: () => import('./pages/audit/audit.tsx') },
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
