"""Health derivatives: margined contracts of two sides, the incidence swap, the pandemic bond, the morbidity forward."""
