"""What GoTrue does at its border, written anew for tests: commands, environment, tables and HTTP answers."""

VERSION = "v2.189.0-stand-in"
