/** All copies of a file at this site, gone on purpose: proposed by one administrator, confirmed by another (reliability B8). */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { maxResults, naive, text } from '../values/lax.ts'

const proposal = z.object({
  destruction_id: z.string(),
  file_name: z.string(),
  reason: z.string(),
  proposed_by: z.string(),
  proposed_time: naive,
  /** From then on it cannot be confirmed. */
  end_time: naive,
})

const copy = z.object({ store_name: z.string(), instance_id: z.int() })

export const destruction = {
  propose: endpoint({
    path: 'admin/destruction/propose',
    level: 'ADMIN',
    summary: 'Propose to destroy a file, all copies of it here; nothing goes before another administrator confirms it.',
    request: z.object({
      file_name: text,
      /** Who reads the audit later wants to know why. */
      reason: text.max(1000).regex(/\S/, 'must say why the file is to be destroyed'),
    }),
    answer: proposal,
    mutates: true,
    isOurs: true,
  }),
  list: endpoint({
    path: 'admin/destruction/list',
    level: 'ADMIN',
    summary: 'List what is proposed and can be confirmed, oldest first.',
    request: z.object({ max_results: maxResults }),
    answer: z.object({ destructions: z.array(proposal) }),
    mutates: false,
    isOurs: true,
  }),
  confirm: endpoint({
    path: 'admin/destruction/confirm',
    level: 'ADMIN',
    summary:
      'Confirm what another administrator proposed: all copies here go to the trash, which keeps them for 30 days.',
    request: z.object({
      destruction_id: text,
      /** Of the proposal's file, typed once more. */
      file_name: text,
    }),
    answer: z.object({
      /** No copy is left. */
      success: z.boolean(),
      destruction_id: z.string(),
      file_name: z.string(),
      /** With what `admin/trash/restore` needs. */
      destroyed: z.array(copy.extend({ trash_id: z.string() })),
      /** Where confirming it again may help. */
      kept: z.array(copy.extend({ why: z.string() })),
    }),
    mutates: true,
    isOurs: true,
  }),
}
