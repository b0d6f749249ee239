"""The tagger as a service of this user's systemd: what is written there, and who made it."""

from tagger.services.systemd import Installed as Installed
from tagger.services.systemd import Systemd as Systemd
from tagger.services.units import Job as Job
from tagger.services.units import UnitFile as UnitFile
from tagger.services.units import unit_files as unit_files
from tagger.services.units import unit_names as unit_names
