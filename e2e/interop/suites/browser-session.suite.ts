/** Who may come in, how long, and how without a mouse. */

import type { Page } from '@playwright/test'
import { expect as seen } from '@playwright/test'
import BetterSqlite3 from 'better-sqlite3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeInBrowser } from '../browser/chromium.ts'
import { expectTrapped, focused, tabTo } from '../browser/keyboard.ts'
import { openSite, type Site } from '../browser/sites.ts'
import { admin } from '../browser/tab.ts'

describeInBrowser('browser-session', openTab => {
  let site: Site
  beforeAll(async () => {
    site = await openSite()
    await site.upload({ 'night/one.fits': 'one', 'night/two.fits': 'two' })
  }, 120_000)
  afterAll(() => site?.[Symbol.asyncDispose]())

  test('a wrong password is told and lets nobody in; the right one does, until one logs out', async () => {
    await using tab = await openTab({ url: site.peru.url, isLoggedIn: false })
    const { page } = tab
    await page.goto('/dashboard/stores')
    await logIn(page, 'wrong password')
    await seen(page.getByRole('alert')).toContainText('password')
    expect(await page.context().cookies()).toEqual([])

    await logIn(page, admin.password)
    await seen(page.getByRole('heading', { name: 'Stores' })).toBeVisible()
    const [cookie] = await page.context().cookies()
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' })
    expect(
      await page.evaluate('document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })'),
    ).not.toContain(cookie!.value)

    await page.getByRole('button', { name: 'Log out' }).click()
    await seen(page.getByRole('heading', { name: 'Log in' })).toBeVisible()
    await page.context().addCookies([cookie!])
    await page.reload()
    await seen(page.getByRole('heading', { name: 'Log in' })).toBeVisible()
  })

  test('who comes back after the session has ended logs in again, and is where they were', async () => {
    await using tab = await openTab({ url: site.peru.url })
    const { page } = tab
    await tab.open('/files?q=one')
    await seen(page.getByRole('link', { name: 'night/one.fits' })).toBeVisible()
    endSessions()
    await page.getByRole('link', { name: 'night/one.fits' }).click()
    await seen(page.getByText('Your session has ended')).toBeVisible()
    await logIn(page, admin.password)
    await seen(page.getByRole('heading', { name: 'night/one.fits' })).toBeVisible()

    endSessions()
    await page.goto('/dashboard/transfers?direction=in')
    await logIn(page, admin.password)
    await seen(page.getByRole('heading', { name: 'Transfers' })).toBeVisible()
    expect(page.url()).toBe(`${site.peru.url}/dashboard/transfers?direction=in`)
  })

  test('without a mouse one comes from the login to a file, and into a dialog and out of it', async () => {
    await using tab = await openTab({ url: site.peru.url, isLoggedIn: false })
    const { page } = tab
    const { keyboard } = page
    await page.goto('/dashboard/')
    await seen(page.getByLabel('User name')).toBeFocused()
    await keyboard.type(admin.username)
    await tabTo(page, 'Password')
    await keyboard.type(`${admin.password}\n`)
    await seen(page.getByRole('heading', { name: 'Overview' })).toBeVisible()

    await tabTo(page, 'Files')
    await keyboard.press('Enter')
    await seen(page.getByRole('searchbox')).toBeFocused()
    await keyboard.type('two')
    await seen(page.getByText('1 file', { exact: true })).toBeVisible()
    await keyboard.press('ArrowDown')
    expect(await focused(page)).toMatchObject({ name: 'night/two.fits', isSeen: true })
    await keyboard.press('Enter')
    await seen(page.getByRole('heading', { name: 'night/two.fits' })).toBeFocused()

    await tabTo(page, 'Delete the copy on files')
    await keyboard.press('Enter')
    await seen(page.getByRole('dialog')).toBeVisible()
    await seen(page.getByText('It may not go')).toBeVisible()
    expect((await focused(page)).isInDialog).toBe(true)
    await expectTrapped(page)
    await keyboard.press('Escape')
    await seen(page.getByRole('dialog')).toBeHidden()
    expect(await focused(page)).toMatchObject({ name: 'Delete the copy on files', isSeen: true })
  })

  test('on a narrow screen the menu opens, keeps the focus, closes by Escape, and leads on', async () => {
    await using tab = await openTab({ url: site.peru.url, size: 'phone' })
    const { page } = tab
    const { keyboard } = page
    await tab.open('/')
    await tabTo(page, 'Menu')
    await keyboard.press('Enter')
    await seen(page.getByRole('dialog', { name: 'Menu' })).toBeVisible()
    await expectTrapped(page)
    await keyboard.press('Escape')
    await seen(page.getByRole('dialog')).toBeHidden()
    expect((await focused(page)).name).toBe('Menu')

    await keyboard.press('Enter')
    await tabTo(page, 'Tasks')
    await keyboard.press('Enter')
    await seen(page.getByRole('dialog')).toBeHidden()
    await seen(page.getByRole('heading', { name: 'Tasks', exact: true })).toBeFocused()
  })

  /** As if nobody had used them for a day. */
  function endSessions(): void {
    const database = new BetterSqlite3(site.person.at('peru', 'catalogue.db'), { timeout: 20_000 })
    database.prepare(`UPDATE session SET last_used = '2020-01-01T00:00:00.000000Z'`).run()
    database.close()
  }
})

async function logIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('User name').fill(admin.username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
}
