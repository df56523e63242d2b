import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeXml, SvgDocument, toXml } from './svg-document.ts'

const document = new SvgDocument()

test('toXml() writes attributes in the order they were set, children in their place, and escapes both', () => {
  const group = document.element('g', { fill: 'none', 'data-name': '<"&>' }, 'a & b')
  group.insertBefore(document.element('path', { d: 'M0,0' }), group.firstChild)
  expect(toXml(group)).toBe('<g fill="none" data-name="&lt;&quot;&amp;&gt;"><path d="M0,0"></path>a &amp; b</g>')
})

test('a node that is put elsewhere leaves its first place', () => {
  const child = document.element('path', {})
  const [first, second] = [document.element('g', {}, child), document.element('g', {})]
  second.append(child)
  expect([first.childNodes, child.parentNode]).toEqual([[], second])
})

test('setting the text replaces the children; styles add up', () => {
  const text = document.element('text', {}, document.element('tspan', {}, 'old'))
  text.textContent = 'new'
  text.style.setProperty('fill', 'red')
  text.style.setProperty('stroke', 'none')
  expect(toXml(text)).toBe('<text style="fill: red; stroke: none">new</text>')
})

test('a node that is not there can neither be removed nor stand before another', () => {
  const [group, stranger] = [document.element('g', {}), document.element('g', {})]
  expect(() => group.removeChild(stranger)).toThrow(RangeError)
  expect(() => group.insertBefore(document.createTextNode('x'), stranger)).toThrow(RangeError)
})

test('escapeXml() leaves nothing that XML forbids, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const escaped = escapeXml(text)
      expect(escaped).toMatch(/^(?:[^<>"&]|&(?:amp|lt|gt|quot);)*$/u)
      expect(escaped).not.toMatch(/[\0-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u)
    }),
  )
  expect(escapeXml('a\u0000b\ud800c')).toBe('a\ufffdb\ufffdc')
})
