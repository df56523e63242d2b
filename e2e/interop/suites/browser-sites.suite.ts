/** Two librarians: sending is paused and resumed, and a copy goes only when another one has been proven. */
import { access, readFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import { expect as seen } from '@playwright/test'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeInBrowser } from '../browser/chromium.ts'
import { openPair, type Pair } from '../browser/sites.ts'
import { until } from '../browser/until.ts'

describeInBrowser('browser-sites', openTab => {
  let pair: Pair
  beforeAll(async () => {
    pair = await openPair()
    await pair.upload({ 'night/both.fits': 'proven at both' })
    await until('it is in Chile', () => isInChile('night/both.fits'))
  }, 180_000)
  afterAll(() => pair?.[Symbol.asyncDispose]())

  test('a site that is paused gets nothing, and says so; resumed, it gets what waited', async () => {
    await using tab = await openTab({ url: pair.peru.url })
    const { page } = tab
    await tab.open('/sites')
    await page.getByRole('button', { name: 'Pause sending to chile' }).click()
    await seen(page.getByText('Sending to chile is paused')).toBeVisible()
    await seen(page.getByRole('cell', { name: 'paused' })).toBeVisible()

    await pair.upload({ 'late/waits.fits': 'waits' })
    await sendingRan()
    expect(await isInChile('late/waits.fits')).toBe(false)
    await page.getByRole('button', { name: 'Resume sending to chile' }).click()
    await seen(page.getByText('Sending to chile goes on')).toBeVisible()
    await until('what waited is in Chile', () => isInChile('late/waits.fits'))

    await tab.open('/files/late/waits.fits')
    await seen(page.getByRole('table', { name: 'Copies at other librarians' })).toContainText('chile')
  })

  test('a copy goes with the plan shown and its name typed, and comes back by undo and from the trash', async () => {
    const name = 'night/both.fits'
    await using tab = await openTab({ url: pair.peru.url })
    const { page, faults } = tab
    await tab.open(`/files/${name}`)
    const dialog = await planToDelete(page)
    await seen(dialog.getByText('It may go')).toBeVisible()
    await seen(dialog.getByRole('table')).toContainText('chile')
    await seen(dialog.getByRole('table')).toContainText('proven')
    await dialog.getByLabel('Why?').fill('room')
    await dialog.getByLabel('To confirm').fill('night/other.fits')
    await seen(dialog.getByRole('button', { name: 'Delete this copy' })).toBeDisabled()
    await page.keyboard.press('Enter')
    expect(await bytesHere(name)).toBe('proven at both')

    await confirm(page, name)
    await seen(page.getByText('The copy on files is in the trash.')).toBeVisible()
    await seen(page.getByText('There is no copy at this site.')).toBeVisible()
    await expect(access(pair.person.at('peru', 'files', name))).rejects.toThrow('ENOENT')
    await page.getByRole('button', { name: 'Undo' }).click()
    await seen(page.getByText('The copy on files is back.')).toBeVisible()
    expect(await bytesHere(name)).toBe('proven at both')

    await seen(page.getByRole('button', { name: 'Delete the copy on files' })).toBeVisible()
    await planToDelete(page)
    await confirm(page, name)
    await seen(page.getByText('There is no copy at this site.')).toBeVisible()
    await tab.open('/trash')
    await seen(page.getByRole('row').filter({ hasText: name })).toContainText('room')
    await page.getByRole('button', { name: `Restore ${name} on files` }).click()
    await seen(page.getByText('it was read, and is good')).toBeVisible()
    await seen(page.getByText('The trash is empty.')).toBeVisible()
    expect(await bytesHere(name)).toBe('proven at both')
    expect(faults).toEqual([])
  })

  test('a copy that is the only one stays, and why is said instead of asking for its name', async () => {
    await pair.person.good(['librarians', 'pause', 'chile', '--librarian', 'peru'])
    await pair.upload({ 'alone/only.fits': 'only here' })
    await using tab = await openTab({ url: pair.peru.url })
    await tab.open('/files/alone/only.fits')
    const dialog = await planToDelete(tab.page)
    await seen(dialog.getByText(/It may not go: .*/)).toContainText(/cop(y|ies)/)
    await seen(dialog.getByLabel('To confirm')).toBeHidden()
    await seen(dialog.getByRole('button', { name: 'Delete this copy' })).toBeHidden()
    expect(await bytesHere('alone/only.fits')).toBe('only here')
  })

  async function isInChile(name: string): Promise<boolean> {
    const { files } = await pair.api.dashboard.files({ query: name })
    return files[0]?.remote_copies === 1
  }

  /** From now on, from its beginning to its end. */
  async function sendingRan(): Promise<void> {
    const ran = async () => {
      const { tasks } = await pair.api.tasks.list({})
      return tasks.find(({ kind }) => kind === 'send_clone')!
    }
    const { ended_time: before } = await ran()
    let next: string | null = null
    await until('the task that sends has run', async () => {
      const { ended_time } = await ran()
      if (next === null && ended_time !== before) next = ended_time
      return next !== null && ended_time !== next
    })
  }

  const bytesHere = (name: string) => readFile(pair.person.at('peru', 'files', name), 'utf8')
})

async function planToDelete(page: Page) {
  await page.getByRole('button', { name: 'Delete the copy on files' }).click()
  return page.getByRole('dialog')
}

async function confirm(page: Page, name: string): Promise<void> {
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Why?').fill('room')
  await dialog.getByLabel('To confirm').fill(name)
  await dialog.getByRole('button', { name: 'Delete this copy' }).click()
  await dialog.waitFor({ state: 'hidden' })
}
