"""Programme guides in (XMLTV), calendars out (iCalendar)."""
