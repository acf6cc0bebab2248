"""绿邻 LvLin: the machine. It knows nothing of any one topic; what it knows lies in knowledge/."""

__version__ = "0.1.0"
