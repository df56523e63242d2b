import { z } from 'zod'

/** Other machines that may be sent to, by the hostname that their librarians offer; nobody else is (librarian 9.2). */
export const rsyncSchema = z.strictObject({
  hosts: z
    .record(
      z.string().min(1),
      z.strictObject({
        address: z.string().optional(),
        user: z.string().optional(),
        port: z.int().min(1).max(65_535).optional(),
        identity_file: z.string().optional(),
        known_hosts_file: z.string().optional(),
      }),
    )
    .default({}),
})
