"""The arithmetic problems: all of them, with right answers."""

from workbench.demo.tasks import month_problems, weekday_problems


def test_there_are_49_and_144_different_problems():
    assert len({problem.prompt for problem in weekday_problems()}) == 49
    assert len({problem.prompt for problem in month_problems()}) == 144


def test_problems_have_the_answers_of_the_calendar():
    week = {problem.prompt: problem for problem in weekday_problems()}
    year = {problem.prompt: problem for problem in month_problems()}
    assert week["Two days from Monday is"].answer == "Wednesday"
    assert week["One day from Sunday is"].answer == "Monday"
    assert week["Seven days from Friday is"].answer == "Friday"
    assert year["Four months from January is"].answer == "May"
    assert year["Twelve months from December is"].answer == "December"
    problem = week["Two days from Monday is"]
    assert (problem.a, problem.b, problem.target) == (0, 2, 2)
