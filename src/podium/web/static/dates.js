// A calendar beside each field of a date. The field is text, because it also takes words such as "last month".

export function offerCalendars() {
  if (!("showPicker" in HTMLInputElement.prototype)) return;
  for (const button of document.querySelectorAll("[data-calendar-of]")) {
    const field = document.getElementById(button.dataset.calendarOf);
    const calendar = document.createElement("input");
    calendar.type = "date";
    calendar.className = "calendar";
    calendar.tabIndex = -1;
    calendar.setAttribute("aria-hidden", "true");
    // The event then reaches the form, which requests the window.
    calendar.addEventListener("change", () => { field.value = calendar.value; });
    button.addEventListener("click", () => {
      const day = new Date(field.value);
      calendar.valueAsDate = Number.isNaN(day.getTime()) ? null : day;
      calendar.showPicker();
    });
    button.after(calendar);
    button.hidden = false;
  }
}
