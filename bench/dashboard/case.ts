/** What a case of the dashboard is given. */
import type { Figure } from '../librarian/case.ts'
import type { Site } from './site.ts'

export interface DashboardOptions {
  readonly rounds: number
  /** Of each look at the server's CPU. */
  readonly seconds: number
  /** Open at once. */
  readonly dashboards: number
  /** Chromium's program. */
  readonly browser: string
  /** On the disk that is measured. */
  readonly directory: string
}

export type DashboardCase = (site: Site, options: DashboardOptions) => Promise<Figure[]>
