/** How bad a recorded error is and what it is about (librarian 2): strings on the wire. */
import { z } from 'zod'

/** How bad a recorded error is, the worst first. */
export const errorSeverities = ['critical', 'error', 'warning', 'info'] as const

/** What a recorded error is about. */
export const errorCategories = [
  'data_integrity',
  'data_availability',
  'configuration',
  'store_full',
  'programming',
  'librarian_network_availability',
  'transfer',
] as const

/** One of `errorSeverities`. */
export type ErrorSeverity = (typeof errorSeverities)[number]
/** One of `errorCategories`. */
export type ErrorCategory = (typeof errorCategories)[number]

export const errorSeverity = z.enum(errorSeverities)
export const errorCategory = z.enum(errorCategories)
