/** The form of `clone/bundle`: what those who ask and those who answer agree on (decision 0031). */
import { MAX_BATCH } from '@arriero/api'
import { z } from 'zod'

export const bundlePath = '/api/v2/clone/bundle'

/** Names of one bundle, at most. */
export const MAX_BUNDLE = MAX_BATCH

export const bundleRequest = z.object({ names: z.array(z.string()).min(1).max(MAX_BUNDLE) })
