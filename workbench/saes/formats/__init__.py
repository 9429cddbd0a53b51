"""SAE folders of several tools, each recognised from its files and made into one kind of object in memory."""
