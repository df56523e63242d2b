/** The Gutenberg example against vsftpd. */
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'vitest'
import { describeGutenberg } from '../../gutenberg-suite.ts'
import { startSlowControl } from '../../servers/slow-control.ts'
import { findVsftpd, startVsftpd } from '../../servers/vsftpd.ts'

if (findVsftpd()) {
  describeGutenberg('the Gutenberg example, vsftpd', {
    async serve(root) {
      const vsftpd = await startVsftpd({ root })
      const slow = await startSlowControl(vsftpd.plain, 1)
      return {
        origin: slow.origin,
        peak: () => slow.peak,
        count: slow.count,
        async put(path, content, time) {
          await writeFile(join(root, path), content)
          await utimes(join(root, path), time / 1000, time / 1000)
        },
        async [Symbol.asyncDispose]() {
          await slow.close()
          await vsftpd.close()
        },
      }
    },
  })
} else test.skip('NOT RUN vsftpd: it is not installed; run scripts/install-servers.sh', () => {})
