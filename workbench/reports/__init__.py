"""Reports of a session: one offline HTML file, or Markdown, and the figures in them as SVG and CSV."""

from workbench.reports.figure_csv import figure_csv
from workbench.reports.svg import figure_svg
from workbench.reports.write import write_report, write_with_figures

__all__ = ["figure_csv", "figure_svg", "write_report", "write_with_figures"]
