/** Runs in the page that `htmlPage` makes; `hover` is defined before it. Arrow keys move the line as the pointer does. */
export const hoverScript = `
const figure = document.querySelector('figure')
const svg = figure.querySelector('svg')
const box = document.getElementById('values')
const line = document.createElementNS('http://www.w3.org/2000/svg', 'line')
for (const [name, value] of Object.entries({ y1: hover.top, y2: hover.bottom, stroke: '#000', visibility: 'hidden' }))
  line.setAttribute(name, value)
svg.append(line)
let shown = -1
const scale = () => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width
const xOf = index =>
  hover.left + ((hover.at[index] - hover.from) / (hover.to - hover.from || 1)) * (hover.right - hover.left)

function nearest(value) {
  let low = 0
  let high = hover.at.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (hover.at[middle] < value) low = middle + 1
    else high = middle
  }
  return low > 0 && value - hover.at[low - 1] < hover.at[low] - value ? low - 1 : low
}

function cell(tag, text) {
  const element = document.createElement(tag)
  element.textContent = text
  return element
}

function show(index, y) {
  shown = Math.max(0, Math.min(hover.at.length - 1, index))
  const x = xOf(shown)
  line.setAttribute('x1', x)
  line.setAttribute('x2', x)
  line.setAttribute('visibility', 'visible')
  box.replaceChildren(
    cell('b', hover.names[shown]),
    ...hover.series.flatMap(({ label, texts }) => [cell('span', label), cell('span', texts[shown])]),
  )
  box.hidden = false
  const isRight = x > (hover.left + hover.right) / 2
  box.style.left = x * scale() + (isRight ? -12 - box.offsetWidth : 12) + 'px'
  box.style.top = Math.max(0, Math.min(svg.clientHeight - box.offsetHeight, y * scale() - box.offsetHeight / 2)) + 'px'
}

function hide() {
  box.hidden = true
  line.setAttribute('visibility', 'hidden')
}

figure.addEventListener('pointermove', event => {
  const area = svg.getBoundingClientRect()
  const x = (event.clientX - area.left) / scale()
  const y = (event.clientY - area.top) / scale()
  if (x < hover.left - 4 || x > hover.right + 4 || y < hover.top || y > hover.bottom) return hide()
  show(nearest(hover.from + ((x - hover.left) / (hover.right - hover.left || 1)) * (hover.to - hover.from)), y)
})
figure.addEventListener('pointerleave', hide)
figure.addEventListener('keydown', event => {
  const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key]
  if (event.key === 'Escape') hide()
  if (step === undefined || hover.at.length === 0) return
  event.preventDefault()
  show(shown + step, hover.top + 60)
})
`
