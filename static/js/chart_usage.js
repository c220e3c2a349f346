// Draws the usage chart: a stacked bar a day or week. Its numbers and words come from the
// page (#usage-data), its colors from the legend, so both follow the theme. What is not
// over yet is hatched. Without this file the tables say the same.

const figure = document.querySelector("[data-usage-chart]");
const numbers = new Intl.NumberFormat(document.documentElement.lang);
const HATCH_PX = 6;

if (figure) draw(figure, JSON.parse(document.getElementById("usage-data").textContent));

function draw(figure, usage) {
  figure.hidden = false;
  const chart = new Chart(figure.querySelector("canvas"), {
    type: "bar",
    data: { labels: usage.labels, datasets: datasetsOf(usage) },
    options: optionsOf(usage),
  });
  const repaint = () => {
    chart.data.datasets = datasetsOf(usage);
    chart.options = optionsOf(usage);
    chart.update("none");
  };
  document.addEventListener("purser:theme", repaint);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
}

function datasetsOf({ series, incomplete }) {
  return series.map(({ label, tone, credits }) => {
    const color = getComputedStyle(figure.querySelector(`.usage-${tone}`)).fill;
    const fills = incomplete.map((isIncomplete) => (isIncomplete ? hatched(color) : color));
    return {
      label,
      data: credits,
      backgroundColor: fills,
      hoverBackgroundColor: fills,
      maxBarThickness: 36,
      borderRadius: 2,
    };
  });
}

function hatched(color) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = HATCH_PX;
  const pen = tile.getContext("2d");
  pen.strokeStyle = color;
  pen.lineWidth = 2.5;
  for (const shift of [-HATCH_PX, 0, HATCH_PX]) {
    pen.moveTo(shift, HATCH_PX);
    pen.lineTo(shift + HATCH_PX, 0);
  }
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

function optionsOf({ titles }) {
  const style = getComputedStyle(figure);
  const ink = style.color;
  const line = style.borderColor;
  const font = { family: style.fontFamily, size: 12 };
  return {
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "index", intersect: false },
    scales: {
      x: {
        stacked: true,
        grid: { display: false },
        border: { color: line },
        ticks: { color: ink, font, maxRotation: 0, autoSkipPadding: 16 },
      },
      y: {
        stacked: true,
        beginAtZero: true,
        grid: { color: line },
        border: { display: false },
        ticks: { color: ink, font, precision: 0, maxTicksLimit: 6, callback: signed },
      },
    },
    plugins: {
      legend: { display: false },
      tooltip: {
        filter: ({ raw }) => raw !== 0,
        titleFont: { family: style.fontFamily },
        bodyFont: { family: style.fontFamily },
        callbacks: {
          title: ([item]) => (item ? titles[item.dataIndex] : ""),
          label: ({ dataset, raw }) => ` ${dataset.label}: ${signed(raw)}`,
        },
      },
    },
  };
}

function signed(credits) {
  return numbers.format(credits).replace("-", "\u2212");
}
